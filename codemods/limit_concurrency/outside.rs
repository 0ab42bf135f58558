//! What lies outside of the program, and has a limit that nobody in it keeps: connections, files,
//! processes, and services that count what they are asked.
//!
//! A client that many share keeps so many connections and no more (aiohttp 100, httpx 100, botocore
//! 10, asyncpg's pool 10), and lets the others wait. It is in none of these tables.

use engine::Context;
use python::ast::{self, AnyNodeRef, Expr, ExprCall};
use python::{Binding, BindingKind, ScopeId};

/// What opens something of its own each time that it is called.
const OPENS: &[&str] = &[
    "aiofile.async_open",
    "aiofiles.open",
    "aioftp.Client",
    "aioftp.Client.context",
    "aiohttp.ClientSession",
    "aiohttp.request",
    "aioboto3.Session.client",
    "aioboto3.Session.resource",
    "aiobotocore.session.AioSession.create_client",
    "aioimaplib.IMAP4",
    "aioimaplib.IMAP4_SSL",
    "aiomysql.connect",
    "aiopg.connect",
    "aiosmtplib.SMTP",
    "aiosmtplib.send",
    "aiosqlite.connect",
    "anyio.connect_tcp",
    "anyio.open_file",
    "anyio.open_process",
    "anyio.run_process",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "asyncpg.connect",
    "asyncssh.connect",
    "curl_cffi.AsyncSession",
    "curl_cffi.requests.AsyncSession",
    "httpx.AsyncClient",
    "niquests.AsyncSession",
    "playwright.async_api.Browser.new_context",
    "playwright.async_api.Browser.new_page",
    "playwright.async_api.BrowserContext.new_page",
    "patchright.async_api.async_playwright",
    "playwright.async_api.async_playwright",
    "primp.AsyncClient",
    "psycopg.AsyncConnection.connect",
    "telnetlib3.open_connection",
    "websockets.asyncio.client.connect",
    "websockets.client.connect",
    "websockets.connect",
];

/// Functions that ask a service which counts requests.
const ASKS: &[&str] = &[
    "litellm.acompletion",
    "litellm.aembedding",
    "litellm.aimage_generation",
    "litellm.aresponses",
    "litellm.atranscription",
    "langchain_core.language_models.BaseChatModel.agenerate",
    "langchain_core.language_models.BaseChatModel.ainvoke",
    "langchain_core.language_models.BaseLanguageModel.ainvoke",
    "langchain_core.language_models.chat_models.BaseChatModel.agenerate",
    "langchain_core.language_models.chat_models.BaseChatModel.ainvoke",
    "langchain_openai.ChatOpenAI.ainvoke",
    "langchain_openai.OpenAIEmbeddings.aembed_documents",
    "langchain_openai.OpenAIEmbeddings.aembed_query",
    "langchain_openai.chat_models.base.ChatOpenAI.ainvoke",
    "llama_index.core.llms.LLM.achat",
    "llama_index.core.llms.LLM.acomplete",
    "llama_index.core.llms.LLM.apredict",
    "llama_index.core.llms.LLM.astructured_predict",
    "llama_index.core.llms.llm.LLM.achat",
    "llama_index.core.llms.llm.LLM.acomplete",
    "llama_index.core.llms.llm.LLM.apredict",
    "llama_index.core.llms.llm.LLM.astructured_predict",
];

/// Classes whose coroutine methods do, also those of what they hold: `client.responses.create`. The
/// pools of these have room for a thousand connections.
const SERVICES: &[&str] = &[
    "anthropic.AsyncAnthropic",
    "anthropic.AsyncAnthropicBedrock",
    "anthropic.AsyncAnthropicVertex",
    "cohere.AsyncClient",
    "cohere.AsyncClientV2",
    "google.genai.Client",
    "groq.AsyncGroq",
    "instructor.AsyncInstructor",
    "ollama.AsyncClient",
    "openai.AsyncAzureOpenAI",
    "openai.AsyncClient",
    "openai.AsyncOpenAI",
    "together.AsyncTogether",
    "voyageai.AsyncClient",
];

/// Modules of the same, as types know them.
const OF_SERVICES: &[&str] = &[
    "anthropic.resources.",
    "cohere.",
    "google.genai.models.Async",
    "groq.resources.",
    "ollama._client.",
    "openai.resources.",
    "together.resources.",
    "voyageai.",
];

/// What a call of `func` opens or asks, as far as this module shows what that is.
pub(super) fn reached<'a>(cx: &Context<'a, '_>, func: &'a Expr) -> Option<String> {
    let module = cx.module;
    if let Some(name) = module.qualified_name(func) {
        return is_known(&name).then_some(name);
    }
    let Expr::Attribute(method) = func else {
        return None;
    };
    let mut receiver = &*method.value;
    loop {
        if let Some(class) = class_of(cx, receiver) {
            let name = format!("{class}.{}", method.attr);
            if is_known(&name) {
                return Some(name);
            }
            if SERVICES.contains(&class.as_str()) {
                return Some(class);
            }
        }
        match receiver {
            Expr::Attribute(attribute) => receiver = &attribute.value,
            _ => return None,
        }
    }
}

/// Whether the function or class of this dotted name opens something, or asks a service.
pub(super) fn is_known(name: &str) -> bool {
    OPENS.contains(&name)
        || ASKS.contains(&name)
        || OF_SERVICES.iter().any(|it| name.starts_with(it))
}

/// Whether what a call opens is there for this call alone, and is not kept for the next ones:
/// `self.session = aiohttp.ClientSession()`, `session or aiohttp.ClientSession()`.
pub(super) fn is_own<'a>(cx: &Context<'a, '_>, call: &'a ExprCall) -> bool {
    let module = cx.module;
    let is_kept = |target: &'a Expr| {
        module.descendants(target).any(|node| match node {
            AnyNodeRef::ExprAttribute(_) | AnyNodeRef::ExprSubscript(_) => true,
            AnyNodeRef::ExprName(name) => module
                .symbol(name)
                .is_some_and(|symbol| symbol.scope == ScopeId::MODULE),
            _ => false,
        })
    };
    module
        .ancestors(call)
        .take_while(|around| !matches!(around, AnyNodeRef::StmtFunctionDef(_)))
        .all(|around| match around {
            AnyNodeRef::ExprBoolOp(_) | AnyNodeRef::ExprIf(_) | AnyNodeRef::ExprLambda(_) => false,
            AnyNodeRef::StmtAssign(assign) => !assign.targets.iter().any(is_kept),
            AnyNodeRef::StmtAnnAssign(assign) => !is_kept(&assign.target),
            _ => true,
        })
}

/// The dotted name of the class that an expression is an instance of: as it is annotated, made or
/// entered in this module.
fn class_of<'a>(cx: &Context<'a, '_>, expr: &'a Expr) -> Option<String> {
    let module = cx.module;
    match expr {
        Expr::Call(call) => module.qualified_name(&call.func),
        Expr::Name(name) => {
            let bindings = module.symbol(name)?.bindings.iter();
            agreed(bindings.map(|binding| class_of_binding(cx, binding)))
        }
        Expr::Attribute(attribute) => class_of_attribute(cx, attribute),
        _ => None,
    }
}

/// The class of this module that a name stands for, or an instance of it: `Client`, `self`, `cls`,
/// and a parameter that is annotated so.
pub(super) fn class_itself<'a>(
    cx: &Context<'a, '_>,
    name: &'a ast::ExprName,
) -> Option<&'a ast::StmtClassDef> {
    let module = cx.module;
    if let Some(class) = module.class_of_self(name) {
        return Some(class);
    }
    let binding = module.only_binding(name)?;
    match binding.kind {
        BindingKind::Class(class) => Some(class),
        BindingKind::Parameter if name.id.as_str() == "cls" => {
            let method = module.function(module.node(binding.node))?;
            module.class_around(method)
        }
        BindingKind::Parameter => match module.node(binding.node) {
            AnyNodeRef::Parameter(parameter) => match parameter.annotation.as_deref() {
                Some(Expr::Name(class)) => match module.only_binding(class)?.kind {
                    BindingKind::Class(class) => Some(class),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// What a place says of the class of its name.
enum Said {
    /// It is None there, or nothing.
    Nothing,
    Unknown,
    Class(String),
}

impl From<Option<String>> for Said {
    fn from(class: Option<String>) -> Self {
        class.map_or(Said::Unknown, Said::Class)
    }
}

/// What all of them say, if they agree.
fn agreed(said: impl Iterator<Item = Said>) -> Option<String> {
    let mut found = None;
    for said in said {
        match said {
            Said::Nothing => {}
            Said::Unknown => return None,
            Said::Class(class) if found.as_ref().is_none_or(|it| *it == class) => {
                found = Some(class);
            }
            Said::Class(_) => return None,
        }
    }
    found
}

fn class_of_binding<'a>(cx: &Context<'a, '_>, binding: &Binding<'a>) -> Said {
    let module = cx.module;
    let node = module.node(binding.node);
    match binding.kind {
        BindingKind::Value(value) => match module.parent(node) {
            Some(AnyNodeRef::StmtAnnAssign(assign)) => {
                module.annotated_class(&assign.annotation).into()
            }
            _ => class_of_value(cx, value),
        },
        BindingKind::With(context, _) => class_of_value(cx, context),
        BindingKind::Parameter => match node {
            AnyNodeRef::Parameter(parameter) => parameter
                .annotation
                .as_deref()
                .and_then(|annotation| module.annotated_class(annotation))
                .into(),
            _ => Said::Unknown,
        },
        _ => Said::Unknown,
    }
}

/// Of a value that is not followed any further.
fn class_of_value<'a>(cx: &Context<'a, '_>, value: &'a Expr) -> Said {
    match value {
        Expr::NoneLiteral(_) => Said::Nothing,
        Expr::Call(call) => cx.module.qualified_name(&call.func).into(),
        // `self.client = client`, where `client` is a parameter.
        Expr::Name(name) => match cx.module.only_binding(name) {
            Some(binding) if matches!(binding.kind, BindingKind::Parameter) => {
                class_of_binding(cx, binding)
            }
            _ => Said::Unknown,
        },
        _ => Said::Unknown,
    }
}

/// Of `self.name`: what all that its class assigns to it agrees on.
fn class_of_attribute<'a>(
    cx: &Context<'a, '_>,
    attribute: &'a ast::ExprAttribute,
) -> Option<String> {
    let module = cx.module;
    let Expr::Name(receiver) = &*attribute.value else {
        return None;
    };
    let class = class_itself(cx, receiver)?;
    let is_it = |target: &'a Expr| match target {
        Expr::Attribute(other) => {
            other.attr.as_str() == attribute.attr.as_str()
                && matches!(&*other.value, Expr::Name(it) if module.class_of_self(it).is_some())
        }
        Expr::Name(name) => name.id.as_str() == attribute.attr.as_str(),
        _ => false,
    };
    let said = module.descendants(class).filter_map(|node| match node {
        AnyNodeRef::StmtAssign(assign) if assign.targets.iter().any(is_it) => {
            Some(class_of_value(cx, &assign.value))
        }
        AnyNodeRef::StmtAnnAssign(assign) if is_it(&assign.target) => {
            Some(module.annotated_class(&assign.annotation).into())
        }
        _ => None,
    });
    agreed(said)
}
