//! An HTTP client for one site. It keeps its connection.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use http_body_util::BodyExt;
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

/// A patient person waits this long for a page to open.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Longer than `vote` waits for its queue, so that its answer *Not confirmed* still arrives.
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

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// The request was not sent, so it had no effect.
    NotSent(anyhow::Error),
    /// The request was sent. It is not known whether it had an effect.
    NoAnswer(anyhow::Error),
}

impl From<CallError> for anyhow::Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(error) | CallError::NoAnswer(error) => error,
        }
    }
}

/// A connection to a site, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Site {
    /// The site at this address.
    pub fn new(uri: &Uri) -> anyhow::Result<Self> {
        let host = uri.authority().context("an address without a host")?.as_str();
        let tls = (uri.scheme_str() == Some("https")).then(public_roots).transpose()?;
        Ok(Self { uri: uri.clone(), host: host.parse()?, tls })
    }

    /// The address of a WebSocket on this site.
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

type Connection = SendRequest<String>;

/// Calls one site again and again.
pub struct Caller {
    site: Site,
    answer_within: Duration,
    connection: Option<Connection>,
}

impl Caller {
    /// Calls this site; the first request opens the connection.
    pub fn of(site: &Site) -> Self {
        Self { site: site.clone(), answer_within: ANSWER_WITHIN, connection: None }
    }

    /// The same caller, but it waits only this long for an answer.
    pub fn waiting(self, answer_within: Duration) -> Self {
        Self { answer_within, ..self }
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&mut self, mut request: Request<String>) -> Result<Response<Bytes>, CallError> {
        let headers = request.headers_mut();
        headers.insert(HOST, self.site.host.clone());
        // Only the text of the page says whether a vote was recorded.
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        // The site may have closed the connection meanwhile. Then open another one, as a browser does.
        if let Some(connection) = self.connection.take() {
            match self.ask_on(connection, request.clone()).await {
                Err(CallError::NotSent(_)) => {}
                asked => return asked,
            }
        }
        let connection = self.connect().await.map_err(CallError::NotSent)?;
        self.ask_on(connection, request).await
    }

    /// Drops the connection after an error: a late answer must not be mistaken for the answer to
    /// another request.
    async fn ask_on(
        &mut self,
        mut connection: Connection,
        request: Request<String>,
    ) -> Result<Response<Bytes>, CallError> {
        let answer = timeout(self.answer_within, answer(&mut connection, request)).await;
        let answer = answer.unwrap_or_else(|_| Err(CallError::NoAnswer(anyhow!("no answer in time"))))?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = self.site.connect().await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn answer(connection: &mut Connection, request: Request<String>) -> Result<Response<Bytes>, CallError> {
    connection.ready().await.map_err(|error| CallError::NotSent(error.into()))?;
    let sent = connection.try_send_request(request).await;
    let response = sent.map_err(|mut error| match error.take_message() {
        Some(_) => CallError::NotSent(error.into_error().into()),
        None => CallError::NoAnswer(error.into_error().into()),
    })?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| CallError::NoAnswer(error.into()))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
