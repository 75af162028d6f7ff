//! The ballot page without a network, for the targets that talk to it.

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use common::http::Sibling;
use common::poll::Poll;
use common::presence::{Kind, Presence};
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::settings::RedisSettings;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use vote::{Booth, Keys};

pub const KEY: &str = "a key for fuzzing only, and long enough";

/// No page is longer.
const PAGE_MAX: usize = 100_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Its queue was never connected: a vote that would be sent there is told to be *Not recorded*, with 503.
static PAGE: LazyLock<Router> = LazyLock::new(|| {
    let queue = RedisQueue::open(&RedisSettings::at("redis://127.0.0.1:1/")).expect("an address");
    let poll = Poll::load(None, [None, None]).expect("the default poll");
    vote::router_of(Booth {
        presence: Presence::starting(Kind::Vote, "fuzz".to_owned(), "0".to_owned(), Some(&poll)),
        poll,
        queue: Queue::Redis(queue),
        queue_max: 1,
        keys: Keys::parse(KEY).expect("a key"),
        secure_cookie: false,
        results: Sibling { url: None, port: 8001, is_loopback: false },
        require_durable_queue: false,
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
