//! The client behind a request.

use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::net::TcpStream;

use super::connections::Place;

/// The client that sent a request. Handlers find it among the request's extensions.
/// A handler that turns the connection into a WebSocket keeps the client until that ends.
#[derive(Clone, Debug)]
pub struct Client(Arc<Connected>);

#[derive(Debug)]
struct Connected {
    socket: OwnedFd,
    place: Arc<Place>,
}

impl Client {
    pub(super) fn of(stream: &TcpStream, place: Arc<Place>) -> std::io::Result<Self> {
        let socket = stream.as_fd().try_clone_to_owned()?;
        Ok(Self(Arc::new(Connected { socket, place })))
    }

    /// Whether the client has closed its connection. Such a client reads no answer.
    pub fn has_hung_up(&self) -> bool {
        let peeked = recv(&self.0.socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(peeked, Ok((_, 1..)) | Err(Errno::AGAIN))
    }

    /// Says that the whole body of the request has arrived. From now until the answer,
    /// the connection is not closed to make room for others.
    pub fn has_asked(&self) {
        self.0.place.asked();
    }
}

/// The app, with the client added to each request.
#[derive(Clone, Debug)]
pub(super) struct WithClient {
    pub(super) app: TowerToHyperService<Router>,
    pub(super) client: Client,
}

impl Service<Request<Incoming>> for WithClient {
    type Response = Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let client = self.client.clone();
        if request.body().is_end_stream() {
            client.has_asked();
        }
        request.extensions_mut().insert(client.clone());
        let answer = self.app.call(request);
        Box::pin(async move {
            let answer = answer.await;
            if !answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
                client.0.place.answered();
            }
            answer
        })
    }
}
