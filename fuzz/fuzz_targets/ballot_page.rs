//! The ballot page without a network, for the targets that talk to it.

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use election::PollSettings;
use presence::{Kind, LocalRegistry, Presence, Registry};
use queue::{Queue, RedisQueue};
use service::Identity;
use store::redis::RedisSettings;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use vote::{Config, Keys};
use web::OtherPage;

pub const KEY: &str = "a key for fuzzing only, and long enough";

/// Every page is shorter than this.
const PAGE_MAX: usize = 100_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Its queue is never connected, so a vote that would be sent there is *Not recorded*, with 503.
static PAGE: LazyLock<Router> = LazyLock::new(|| {
    let redis = RedisSettings::at("redis://127.0.0.1:1/").connection().expect("an address");
    let poll = PollSettings::default().load().expect("the default poll");
    let registry = Registry::Local(LocalRegistry::default());
    vote::router_of(Config {
        presence: Presence::starting(Kind::Vote, &Identity::of_this_process(), Some(&poll), registry),
        poll,
        queue: Queue::Redis(RedisQueue::new(redis)),
        queue_max: 1,
        require_durable_queue: vote::RequireDurable::False,
        keys: Keys::parse(KEY).expect("a key"),
        url: None,
        results: OtherPage { url: None, port: 8001, is_loopback: false },
        embedded: false,
    })
});

/// What the page answers: its status, and the cookie it gives.
pub fn ask(method: Method, cookie: Option<HeaderValue>, body: &[u8]) -> (StatusCode, Option<String>) {
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = method;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    request.headers_mut().extend(cookie.map(|cookie| (COOKIE, cookie)));
    RUNTIME.block_on(async {
        let answer = PAGE.clone().oneshot(request).await.expect("a router never fails");
        let (head, body) = answer.into_parts();
        let page = to_bytes(body, PAGE_MAX).await.expect("a page that is not too long");
        assert!(!page.is_empty(), "every answer says something");
        let cookie = head.headers.get(SET_COOKIE).map(|cookie| cookie.to_str().expect("ASCII"));
        let pair = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        (head.status, pair)
    })
}

/// The cookie that a newcomer is given.
pub fn newcomer() -> String {
    ask(Method::GET, None, b"").1.expect("a cookie for a newcomer")
}
