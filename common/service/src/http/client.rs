//! The client behind a request.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::net::TcpStream;

/// The client that sent a request. Handlers find it among the request's extensions.
#[derive(Clone, Debug)]
pub struct Client(Arc<OwnedFd>);

impl Client {
    pub(super) fn of(stream: &TcpStream) -> std::io::Result<Self> {
        Ok(Self(Arc::new(stream.as_fd().try_clone_to_owned()?)))
    }

    /// Whether the client has closed its connection. Such a client reads no answer.
    pub fn has_hung_up(&self) -> bool {
        let peeked = recv(&*self.0, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(peeked, Ok((_, 1..)) | Err(Errno::AGAIN))
    }
}

/// The app, with the client added to each request.
#[derive(Clone, Debug)]
pub(super) struct WithClient {
    pub(super) app: TowerToHyperService<Router>,
    pub(super) client: Client,
}

impl Service<Request<Incoming>> for WithClient {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.client.clone());
        self.app.call(request)
    }
}
