//! What lies outside of the program, and has a limit that nobody in it keeps: connections, files,
//! processes, and services that count what they are asked.
//!
//! A client that many share keeps so many connections and no more (aiohttp 100, httpx 100, botocore
//! 10, asyncpg's pool 10), and lets the others wait. It is in none of these tables.

use engine::Context;
use python::ScopeId;
use python::ast::{AnyNodeRef, Expr, ExprCall};

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

/// Those of them that open a file of the machine.
const OPENS_FILES: &[&str] = &["aiofile.async_open", "aiofiles.open", "anyio.open_file"];

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

/// Whether the function or class of this dotted name opens something, or asks a service.
pub(super) fn is_known(name: &str) -> bool {
    OPENS.contains(&name)
        || ASKS.contains(&name)
        || OF_SERVICES.iter().any(|it| name.starts_with(it))
}

/// Whether the function of this dotted name opens a file of the machine.
pub(super) fn opens_file(name: &str) -> bool {
    OPENS_FILES.contains(&name)
}

/// Whether the coroutine methods of the class of this dotted name ask a service.
pub(super) fn is_service(class: &str) -> bool {
    SERVICES.contains(&class)
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
