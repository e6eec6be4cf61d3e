//! The front door: hudsucker's listener with our handler (design D3).
//!
//! Authenticates, applies the policy, dials, answers CONNECT and hands the bare stream over to the tunnel. Plain HTTP
//! that names another host is forwarded and never recorded; a request to the proxy itself gets the local page.

mod connector;
mod local;
mod policy;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hudsucker::certificate_authority::CertificateAuthority;
use hudsucker::{Body, HttpContext, HttpHandler, RequestOrResponse};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use self::connector::Connector;
pub use self::local::LocalPages;
use self::policy::{Target, decide};
use crate::auth::{Authenticator, Verdict, basic};
use crate::config::Limits;
use crate::door::Event;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::tunnel::{Accepted, DialError, Dialler, Tunnels, keepalive};

/// Everything that a request to the proxy needs.
pub struct FrontDoor {
    /// Checks credentials; none: nobody is asked.
    pub authenticator: Option<Authenticator>,
    /// Reaches upstreams.
    pub dialler: Arc<Dialler>,
    /// Runs accepted tunnels.
    pub tunnels: Arc<Tunnels>,
    /// Answers requests to the proxy itself.
    pub local: LocalPages,
    /// Says whether new tunnels must be refused.
    pub store: Store,
    /// Ceilings and time limits.
    pub limits: Limits,
    /// Counters.
    pub metrics: Metrics,
    /// When to end.
    pub shutdown: Shutdown,
}

/// Opens the listening socket. Accepted sockets inherit its options.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&keepalive())?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// Serves until shutdown begins and the requests in flight have been answered.
pub async fn serve(listener: TcpListener, front_door: Arc<FrontDoor>) -> Result<(), hudsucker::Error> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(front_door.limits.header_read)
        .preserve_header_case(true);
    let shutdown = front_door.shutdown.clone();
    let proxy = hudsucker::Proxy::builder()
        .with_listener(listener)
        .with_ca(Leaves(Arc::clone(&front_door.tunnels)))
        .with_http_connector(Connector::new(Arc::clone(&front_door.dialler)))
        .with_http_handler(Handler(front_door))
        .with_server(server)
        .with_graceful_shutdown(async move { shutdown.draining().await })
        .build()?;
    proxy.start().await
}

/// hudsucker asks for an authority; since we answer every CONNECT ourselves, it has no use for it.
struct Leaves(Arc<Tunnels>);

impl CertificateAuthority for Leaves {
    async fn gen_server_config(&self, authority: &Authority) -> Arc<rustls::ServerConfig> {
        self.0.servers.gen_server_config(authority).await
    }
}

#[derive(Clone)]
struct Handler(Arc<FrontDoor>);

impl HttpHandler for Handler {
    async fn handle_request(&mut self, context: &HttpContext, request: Request<Body>) -> RequestOrResponse {
        let peer = context.client_addr;
        if request.method() != Method::CONNECT && self.0.local.is_for_us(request.uri()) {
            return self.local_page(peer.ip(), &request).await.into();
        }
        let user = match self.0.authenticate(peer.ip(), &request).await {
            Ok(user) => user,
            Err(response) => {
                self.0.note_login(peer.ip(), &request);
                return response.into();
            }
        };
        if request.method() == Method::CONNECT {
            return self.0.connect(peer, user, request).await.into();
        }
        self.0.forward(request)
    }

    async fn handle_error(&mut self, _: &HttpContext, error: hyper_util::client::legacy::Error) -> Response<Body> {
        match connector::dial_error(&error) {
            Some(error) => refusal(error),
            None => text(StatusCode::BAD_GATEWAY, "the upstream gave no usable answer"),
        }
    }
}

impl Handler {
    async fn local_page(&self, peer: IpAddr, request: &Request<Body>) -> Response<Body> {
        // Figures tell who works when: they are for the machine itself and for those who have an account.
        let trusted = peer.to_canonical().is_loopback()
            || self.0.authenticator.is_some() && self.0.authenticate(peer, request).await.is_ok();
        self.0.local.answer(request, trusted)
    }
}

impl FrontDoor {
    async fn authenticate(&self, peer: IpAddr, request: &Request<Body>) -> Result<Option<Arc<str>>, Response<Body>> {
        let Some(authenticator) = &self.authenticator else { return Ok(None) };
        let header = request.headers().get(PROXY_AUTHORIZATION).map(HeaderValue::as_bytes);
        match authenticator.check(header, peer).await {
            Verdict::Allowed(user) => Ok(Some(user)),
            Verdict::Challenge => Err(proxy_authentication_required()),
            Verdict::Refused => {
                self.metrics.logins_failed.inc();
                Err(proxy_authentication_required())
            }
        }
    }

    /// Writes down that somebody did not get in.
    fn note_login(&self, peer: IpAddr, request: &Request<Body>) {
        let Some(authenticator) = &self.authenticator else { return };
        let header = request.headers().get(PROXY_AUTHORIZATION).map(HeaderValue::as_bytes);
        let claimed = authenticator.claimed(header);
        let event = match &claimed {
            None => Event::Asked,
            Some(name) => Event::LoginFailed { user: name.as_deref() },
        };
        self.tunnels.door.note(None, peer, &event);
    }

    /// Answers CONNECT: 200 only when the upstream has been reached, so that nothing can fail inside the tunnel.
    async fn connect(
        self: &Arc<Self>,
        peer: SocketAddr,
        user: Option<Arc<str>>,
        mut request: Request<Body>,
    ) -> Response<Body> {
        let target = match decide(request.uri(), self) {
            Ok(target) => target,
            Err(refused) => {
                self.metrics.tunnels_refused.inc();
                // Only the host: what else stands in a target that is none may be a password.
                let host = request.uri().host().unwrap_or_default();
                debug!(client = %peer, host, %refused, "CONNECT refused");
                let event = Event::Refused { host, why: &refused.to_string() };
                self.tunnels.door.note(user.as_deref(), peer.ip(), &event);
                return text(refused.status(), &refused.to_string());
            }
        };
        let begun = Instant::now();
        let upstream = match self.dialler.dial(&target.host, target.port).await {
            Ok(upstream) => upstream,
            Err(error) => {
                let why = chain(&error);
                let event = match error {
                    DialError::Port(_) | DialError::Local { .. } => {
                        self.metrics.tunnels_refused.inc();
                        Event::Refused { host: &target.host, why: &why }
                    }
                    _ => {
                        self.metrics.upstream_failures.inc();
                        Event::Unreachable { host: &target.host, why: &why }
                    }
                };
                self.tunnels.door.note(user.as_deref(), peer.ip(), &event);
                tracing::info!("CONNECT {}:{} for {peer} failed: {why}", target.host, target.port);
                return refusal(&error);
            }
        };
        let Target { host, port } = target;
        let accepted = Accepted { user, client: peer, host, port, connect: begun.elapsed() };
        self.metrics.tunnels_accepted.inc();
        let tunnels = Arc::clone(&self.tunnels);
        let upgrade = hyper::upgrade::on(&mut request);
        self.shutdown.spawn(async move {
            let upgraded = tokio::select! {
                upgraded = upgrade => upgraded,
                () = tunnels.shutdown.cutting() => return,
            };
            // It fails when the client left before the 200 was written.
            let Ok(upgraded) = upgraded else { return };
            let Ok(parts) = auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) else {
                return tracing::error!("the listener's stream is not a TCP stream");
            };
            tunnels.run(accepted, parts.io.into_inner(), parts.read_buf.to_vec(), upstream).await;
        });
        Response::new(Body::empty())
    }

    /// Plain HTTP in absolute form: passed on by hudsucker, without what was meant for us.
    fn forward(&self, mut request: Request<Body>) -> RequestOrResponse {
        if request.uri().scheme_str() != Some("http") {
            return text(StatusCode::BAD_REQUEST, "only http:// can be asked for in absolute form; use CONNECT").into();
        }
        if request.headers().contains_key(http::header::UPGRADE) {
            // hudsucker would dial a WebSocket by itself, past the policy.
            return text(StatusCode::NOT_IMPLEMENTED, "an upgrade over plain HTTP needs CONNECT").into();
        }
        let headers = request.headers_mut();
        headers.remove(PROXY_AUTHORIZATION);
        headers.remove(HeaderName::from_static("proxy-connection"));
        request.into()
    }
}

fn proxy_authentication_required() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    response.headers_mut().insert(PROXY_AUTHENTICATE, HeaderValue::from_static(basic::CHALLENGE));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// The answer to a request whose upstream could not be reached.
fn refusal(error: &DialError) -> Response<Body> {
    let status = match error {
        DialError::Port(_) | DialError::Local { .. } => StatusCode::FORBIDDEN,
        DialError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        DialError::Unresolved(..) | DialError::Unreachable { .. } | DialError::Proxy(_) => StatusCode::BAD_GATEWAY,
    };
    text(status, &error.to_string())
}

/// A one-line text answer.
fn text(status: StatusCode, line: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{line}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
