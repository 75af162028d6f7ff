//! HTTP to one site, over a connection that is kept.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_LANGUAGE, HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// As long as a patient person waits for a page.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Longer than `vote` waits for its queue, and so for the answer that a vote is not confirmed.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where a page is served.
#[derive(Clone)]
pub struct Site {
    uri: Uri,
    host: HeaderValue,
    tls: Option<TlsConnector>,
}

impl Display for Site {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The request never left, so nothing came of it.
    NotSent(anyhow::Error),
    /// Nobody knows what came of it.
    NoAnswer(anyhow::Error),
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(error) | Failure::NoAnswer(error) => error,
        }
    }
}

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Site {
    /// The site at this address.
    pub fn new(uri: &Uri) -> anyhow::Result<Self> {
        let host = uri.authority().context("an address without a host")?.as_str();
        let tls = (uri.scheme_str() == Some("https")).then(public_roots).transpose()?;
        Ok(Self { uri: uri.clone(), host: host.parse()?, tls })
    }

    /// The address of a WebSocket here.
    pub fn socket(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}{path}", self.uri.authority().map_or("", |authority| authority.as_str()))
    }

    /// Opens a connection.
    pub async fn connect(&self) -> anyhow::Result<Box<dyn Stream>> {
        timeout(CONNECT_WITHIN, self.dial())
            .await
            .unwrap_or_else(|_| Err(anyhow!("no connection within {CONNECT_WITHIN:?}")))
            .with_context(|| format!("cannot reach {}", self.uri))
    }

    async fn dial(&self) -> anyhow::Result<Box<dyn Stream>> {
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(tls.connect(ServerName::try_from(host.to_owned())?, stream).await?),
        })
    }
}

fn public_roots() -> anyhow::Result<TlsConnector> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

type Line = SendRequest<Full<Bytes>>;

/// One who calls a site again and again.
pub struct Caller {
    site: Site,
    line: Option<Line>,
}

impl Caller {
    /// Somebody who calls this site; nothing is connected yet.
    pub fn of(site: &Site) -> Self {
        Self { site: site.clone(), line: None }
    }

    /// Asks, and reads the whole answer.
    pub async fn ask(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Failure> {
        let headers = request.headers_mut();
        headers.insert(HOST, self.site.host.clone());
        // What became of a vote is told in words.
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        // A line that was kept may have been closed meanwhile; a browser would dial anew, too.
        if let Some(line) = self.line.take() {
            match self.ask_on(line, request.clone()).await {
                Err(Failure::NotSent(_)) => {}
                asked => return asked,
            }
        }
        let line = self.dial().await.map_err(Failure::NotSent)?;
        self.ask_on(line, request).await
    }

    /// After a failure the line is dropped: an answer that comes late must not answer another request.
    async fn ask_on(
        &mut self,
        mut line: Line,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Failure> {
        let answer = timeout(ANSWER_WITHIN, answer(&mut line, request)).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::NoAnswer(anyhow!("no answer in time"))))?;
        self.line = Some(line);
        Ok(answer)
    }

    async fn dial(&self) -> anyhow::Result<Line> {
        let stream = self.site.connect().await?;
        let (line, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(line)
    }
}

async fn answer(line: &mut Line, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Failure> {
    line.ready().await.map_err(|error| Failure::NotSent(error.into()))?;
    let sent = line.try_send_request(request).await;
    let response = sent.map_err(|mut error| match error.take_message() {
        Some(_) => Failure::NotSent(error.into_error().into()),
        None => Failure::NoAnswer(error.into_error().into()),
    })?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| Failure::NoAnswer(error.into()))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
