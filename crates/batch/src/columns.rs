//! Columns of Arrow as rows, and what became of the rows as columns.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BinaryViewBuilder, Int32Builder, LargeBinaryBuilder,
    LargeStringBuilder, ListBuilder, StringBuilder, StringViewBuilder, StructBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use cli::batch::{Batch, Content, Fixed, Found, Row};

/// Which columns hold what.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    /// Paths; none where there are none.
    pub path: Option<&'a str>,
    /// Sources.
    pub source: &'a str,
}

/// What comes out beside paths and sources.
const CHANGED: &str = "changed";
const FOUND: &str = "found";
const FIXED: &str = "fixed";
const WITHHELD: &str = "withheld";
const FINDINGS: &str = "findings";
const ERROR: &str = "error";

impl Columns<'_> {
    /// The rows of `batch`, rewritten. The error says what is wrong with the columns.
    pub fn fixed(self, fixer: &Batch, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let schema = self.schema(&batch.schema())?;
        let column = |name: &str| batch.column_by_name(name).map(Arc::clone);
        let paths = self.path.and_then(column);
        let sources = column(self.source).ok_or_else(|| missing(self.source, &batch.schema()))?;
        let rows: Vec<Row> = (0..batch.num_rows())
            .map(|row| Row {
                path: paths.as_deref().and_then(|paths| text(paths, row)),
                content: content(&*sources, row),
            })
            .collect();
        let made = fixer.fix(&rows);
        let mut columns: Vec<ArrayRef> = paths.iter().map(Arc::clone).collect();
        columns.push(rewritten(&*sources, &rows, &made, self.source)?);
        let changed: Vec<bool> = made.iter().map(|row| row.output.is_some()).collect();
        columns.push(Arc::new(BooleanArray::from(changed)));
        columns.push(counts(&made, |row| row.found.len()));
        columns.push(counts(&made, |row| row.fixed));
        columns.push(counts(&made, |row| row.withheld));
        columns.push(findings(&made));
        let errors: StringArray = made.iter().map(|row| row.error.as_deref()).collect();
        columns.push(Arc::new(errors));
        RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())
    }

    /// The columns that come out where these come in.
    pub fn schema(self, given: &Schema) -> Result<SchemaRef, String> {
        let field = |name: &str| {
            let field = given
                .field_with_name(name)
                .map_err(|_| missing(name, given))?;
            Ok::<_, String>(Field::new(name, field.data_type().clone(), true))
        };
        let mut fields = Vec::new();
        if let Some(path) = self.path {
            let field = field(path)?;
            if !is_text(field.data_type()) {
                let kind = field.data_type();
                return Err(format!("column `{path}` holds {kind}: paths are strings"));
            }
            fields.push(field);
        }
        let source = field(self.source)?;
        if !is_text(source.data_type()) && !is_bytes(source.data_type()) {
            let (name, kind) = (self.source, source.data_type());
            return Err(format!(
                "column `{name}` holds {kind}: sources are strings, or bytes: cast it"
            ));
        }
        fields.push(source);
        fields.extend([
            Field::new(CHANGED, DataType::Boolean, false),
            Field::new(FOUND, DataType::Int32, false),
            Field::new(FIXED, DataType::Int32, false),
            Field::new(WITHHELD, DataType::Int32, false),
            Field::new_list(FINDINGS, Field::new_list_field(finding_type(), true), false),
            Field::new(ERROR, DataType::Utf8, true),
        ]);
        for (number, field) in fields.iter().enumerate() {
            if fields[..number]
                .iter()
                .any(|other| other.name() == field.name())
            {
                let name = field.name();
                return Err(format!("two columns would be named `{name}`: rename yours"));
            }
        }
        Ok(Arc::new(Schema::new(fields)))
    }
}

fn missing(name: &str, schema: &Schema) -> String {
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    format!("there is no column `{name}`, but: {}", names.join(", "))
}

fn is_text(kind: &DataType) -> bool {
    use DataType::{LargeUtf8, Utf8, Utf8View};
    matches!(kind, Utf8 | LargeUtf8 | Utf8View)
}

fn is_bytes(kind: &DataType) -> bool {
    use DataType::{Binary, BinaryView, LargeBinary};
    matches!(kind, Binary | LargeBinary | BinaryView)
}

fn text(column: &dyn Array, row: usize) -> Option<&str> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(column.as_string_view().value(row)),
        _ => None,
    }
}

fn content(column: &dyn Array, row: usize) -> Option<Content<'_>> {
    if column.is_null(row) {
        return None;
    }
    let bytes = match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().value(row),
        DataType::LargeBinary => column.as_binary::<i64>().value(row),
        DataType::BinaryView => column.as_binary_view().value(row),
        _ => return text(column, row).map(Content::Text),
    };
    Some(Content::Bytes(bytes))
}

/// The sources as they are now, in a column of the same type.
fn rewritten(
    given: &dyn Array,
    rows: &[Row],
    fixed: &[Fixed],
    name: &str,
) -> Result<ArrayRef, String> {
    let bytes = |(row, fixed): (&Row<'_>, &'_ Fixed)| -> usize {
        fixed.output.as_ref().map_or_else(
            || row.content.map_or(0, |content| bytes_of(content).len()),
            Vec::len,
        )
    };
    let total: usize = rows.iter().zip(fixed).map(bytes).sum();
    let is_short = matches!(given.data_type(), DataType::Utf8 | DataType::Binary);
    if is_short && i32::try_from(total).is_err() {
        return Err(format!(
            "column `{name}` would hold more than 2 GiB: make it of large_string or large_binary, or \
             give fewer rows"
        ));
    }
    let values = rows.iter().zip(fixed).map(|(row, fixed)| {
        let output = fixed.output.as_deref();
        output.or_else(|| row.content.map(bytes_of))
    });
    // What was text is text: checked again, since no code of ours is unsafe.
    let texts = values
        .clone()
        .map(|value| value.and_then(|bytes| std::str::from_utf8(bytes).ok()));
    macro_rules! built {
        ($builder:expr, $values:expr) => {{
            let mut builder = $builder;
            $values.for_each(|value| builder.append_option(value));
            Arc::new(builder.finish())
        }};
    }
    let count = rows.len();
    Ok(match given.data_type() {
        DataType::Utf8 => built!(StringBuilder::with_capacity(count, total), texts),
        DataType::LargeUtf8 => built!(LargeStringBuilder::with_capacity(count, total), texts),
        DataType::Utf8View => built!(StringViewBuilder::with_capacity(count), texts),
        DataType::Binary => built!(BinaryBuilder::with_capacity(count, total), values),
        DataType::LargeBinary => built!(LargeBinaryBuilder::with_capacity(count, total), values),
        _ => built!(BinaryViewBuilder::with_capacity(count), values),
    })
}

fn bytes_of(content: Content<'_>) -> &[u8] {
    match content {
        Content::Text(text) => text.as_bytes(),
        Content::Bytes(bytes) => bytes,
    }
}

/// Spark knows no numbers without a sign; nothing here comes near the largest of these.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn counts(fixed: &[Fixed], of: impl Fn(&Fixed) -> usize) -> ArrayRef {
    Arc::new(
        fixed
            .iter()
            .map(|row| Some(number(of(row))))
            .collect::<Int32Array>(),
    )
}

/// A finding: its columns, in the order of [`findings`].
fn finding_fields() -> Fields {
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, nullable: bool| Field::new(name, DataType::Int32, nullable);
    Fields::from(vec![
        text("codemod", false),
        text("message", false),
        text("severity", false),
        text("applicability", true),
        text("withheld", true),
        number("cell", true),
        number("row", false),
        number("column", false),
        number("end_row", false),
        number("end_column", false),
    ])
}

fn finding_type() -> DataType {
    DataType::Struct(finding_fields())
}

fn findings(fixed: &[Fixed]) -> ArrayRef {
    let each = StructBuilder::from_fields(finding_fields(), 0);
    let mut lists = ListBuilder::new(each);
    for row in fixed {
        let each = lists.values();
        for found in &row.found {
            append(each, found);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn append(each: &mut StructBuilder, found: &Found) {
    let texts = [
        Some(found.codemod),
        Some(found.message.as_str()),
        Some(found.severity),
        found.applicability,
        found.withheld.as_deref(),
    ];
    let numbers = [
        found.cell,
        Some(found.start.0),
        Some(found.start.1),
        Some(found.end.0),
        Some(found.end.1),
    ];
    let builders: &mut [Box<dyn ArrayBuilder>] = each.field_builders_mut();
    let (of_texts, of_numbers) = builders.split_at_mut(texts.len());
    for (builder, text) in of_texts.iter_mut().zip(texts) {
        if let Some(builder) = builder.as_any_mut().downcast_mut::<StringBuilder>() {
            builder.append_option(text);
        }
    }
    for (builder, value) in of_numbers.iter_mut().zip(numbers) {
        if let Some(builder) = builder.as_any_mut().downcast_mut::<Int32Builder>() {
            builder.append_option(value.map(number));
        }
    }
    each.append(true);
}
