//! A service of which there is a description: each request has to be as that says, and things go
//! wrong where a test wants it.

use std::path::Path;

use boon::{Compiler, Draft, Schemas};
use serde_json::{Value, json};

use super::server::{Answer, Request, Service};

/// The description of an interface, as far as asyncfix uses it.
pub struct Description {
    operations: Value,
    /// Fails where a request does not have the headers of the service.
    greeted: fn(&Request),
}

/// Something that goes wrong.
pub struct Trouble {
    /// With which operation.
    pub operation: &'static str,
    /// How often.
    pub times: usize,
    pub answer: Answer,
    /// Whether it was done all the same.
    pub is_done: bool,
    /// Whether only what holds this text goes wrong.
    pub holds: &'static str,
}

impl Trouble {
    pub fn new(operation: &'static str, times: usize, answer: Answer) -> Self {
        Self {
            operation,
            times,
            answer,
            is_done: false,
            holds: "",
        }
    }

    /// What goes wrong with this request, if something does: the answer, and whether it is carried
    /// out all the same.
    fn next(troubles: &mut [Self], operation: &str, request: &Request) -> Option<(Answer, bool)> {
        let text = request.body.to_string();
        let is_it =
            |it: &&mut Self| it.operation == operation && it.times > 0 && text.contains(it.holds);
        let trouble = troubles.iter_mut().find(is_it)?;
        trouble.times -= 1;
        Some((trouble.answer.clone(), trouble.is_done))
    }
}

/// A service whose requests are checked by the description of its interface.
pub trait Described {
    fn desk(&mut self) -> &mut Desk;

    /// Does what is asked: the operation, and the parameters of its path.
    fn carry_out(&mut self, id: &str, values: &[String], request: &Request) -> Answer;
}

/// What a request passes before it is carried out.
pub struct Desk {
    pub description: Description,
    /// What was asked, by operation.
    pub asked: Vec<(String, Request)>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
}

impl Desk {
    pub fn new(description: Description) -> Self {
        Self {
            description,
            asked: Vec::new(),
            troubles: Vec::new(),
        }
    }
}

impl<T: Described + Send + 'static> Service for T {
    fn answer(&mut self, request: &Request) -> Answer {
        let desk = self.desk();
        let (id, values) = desk.description.operation(request);
        desk.description.check(&id, request);
        desk.asked.push((id.clone(), request.clone()));
        let Some((answer, is_done)) = Trouble::next(&mut desk.troubles, &id, request) else {
            return self.carry_out(&id, &values, request);
        };
        if is_done {
            self.carry_out(&id, &values, request);
        }
        answer
    }
}

impl Description {
    /// That of a file in `tests/cli/schemas`.
    pub fn new(file: &str, greeted: fn(&Request)) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/schemas");
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        Self {
            operations: serde_json::from_str(&text).unwrap(),
            greeted,
        }
    }

    /// The operation, and the parameters of its path.
    pub fn operation(&self, request: &Request) -> (String, Vec<String>) {
        let operations = self.operations.as_object().unwrap();
        let found = operations.iter().find_map(|(id, operation)| {
            let is_it = operation["method"].as_str() == Some(&request.method);
            let values = matched(operation["path"].as_str().unwrap(), &request.path)?;
            is_it.then_some((id.clone(), values))
        });
        found.unwrap()
    }

    /// Fails where the request is not as the description says.
    pub fn check(&self, id: &str, request: &Request) {
        let operation = &self.operations[id];
        (self.greeted)(request);
        let parameters = operation["parameters"].as_array().unwrap();
        for (name, value) in &request.query {
            let is_it = |it: &&Value| it["in"] == "query" && it["name"] == name.as_str();
            let parameter = parameters.iter().find(is_it).unwrap();
            let value = match parameter["schema"]["type"].as_str() {
                Some("integer") => json!(value.parse::<u64>().unwrap()),
                _ => json!(value),
            };
            validate(&parameter["schema"], &value);
        }
        match operation.get("body") {
            None => assert_eq!(request.body, Value::Null),
            Some(schema) => {
                validate(schema, &request.body);
                only_known(schema, &request.body);
                assert_eq!(request.headers["content-type"], "application/json");
            }
        }
    }

    /// An example of the answer.
    pub fn example(&self, id: &str) -> Value {
        self.operations[id]["answer"].clone()
    }

    pub fn status(&self, id: &str) -> u16 {
        u16::try_from(self.operations[id]["status"].as_u64().unwrap()).unwrap()
    }
}

/// What stands for the names in braces.
fn matched(template: &str, path: &str) -> Option<Vec<String>> {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let mut values = Vec::new();
    for (wanted, part) in template.iter().zip(&path) {
        if wanted.starts_with('{') {
            values.push((*part).to_string());
        } else if wanted != part {
            return None;
        }
    }
    (template.len() == path.len()).then_some(values)
}

#[track_caller]
fn validate(schema: &Value, value: &Value) {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V4);
    compiler
        .add_resource("schema.json", schema.clone())
        .unwrap();
    let mut schemas = Schemas::new();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    let problem = schemas.validate(value, schema).err();
    assert_eq!(
        problem.map_or_else(String::new, |error| format!("{error:#}")),
        ""
    );
}

/// A property that the description does not have is a slip.
fn only_known(schema: &Value, value: &Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let known = schema["properties"].get(name);
                assert!(known.is_some(), "{name}");
                only_known(known.unwrap(), value);
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|it| only_known(&schema["items"], it)),
        _ => {}
    }
}
