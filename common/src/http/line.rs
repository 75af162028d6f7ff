//! The connection behind a request.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;

/// The connection a request came on, which handlers find among its extensions.
#[derive(Clone, Debug)]
pub struct Line(Arc<OwnedFd>);

impl Line {
    pub(super) fn of(stream: &TcpStream) -> std::io::Result<Self> {
        Ok(Self(Arc::new(stream.as_fd().try_clone_to_owned()?)))
    }

    /// Whether the client has hung up by now, so that nobody waits for the answer.
    pub fn is_dead(&self) -> bool {
        let peeked = recv(&*self.0, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(peeked, Ok((_, 1..)) | Err(Errno::AGAIN))
    }
}

/// Opens as many files as the system allows: each line takes two, and a container
/// may be started with a thousand, although it may have many more for the asking.
pub(super) fn allow_many() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!("cannot open more than {:?} files: {error}", limit.current);
    }
}

/// The app, told of each request on which line it came.
#[derive(Clone, Debug)]
pub(super) struct Attended {
    pub(super) app: TowerToHyperService<Router>,
    pub(super) line: Line,
}

impl Service<Request<Incoming>> for Attended {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.line.clone());
        self.app.call(request)
    }
}
