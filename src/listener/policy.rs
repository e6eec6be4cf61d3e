//! Whether a CONNECT is accepted, as far as its target's name tells; the address is checked when it is dialled.

use std::sync::Arc;

use http::{StatusCode, Uri};

use super::FrontDoor;

/// The target of a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Lower case, without brackets.
    pub(super) host: Arc<str>,
    pub(super) port: u16,
}

/// Why a CONNECT is not accepted; the text goes to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("CONNECT needs a target of the form host:port")]
    Target,
    #[error("{0} is not one of Copilot's hosts, and this proxy carries no others")]
    Other(Arc<str>),
    #[error("too many tunnels are open; try again later")]
    Full,
    #[error("records cannot be written now, and this proxy carries nothing unrecorded")]
    Store,
    #[error("the proxy is shutting down")]
    Shutdown,
}

impl Refused {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Target => StatusCode::BAD_REQUEST,
            Self::Other(_) => StatusCode::FORBIDDEN,
            Self::Full | Self::Store | Self::Shutdown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

pub(super) fn decide(uri: &Uri, front_door: &FrontDoor) -> Result<Target, Refused> {
    let target = target(uri)?;
    let tunnels = &front_door.tunnels;
    let may_be_opened = tunnels.hosts.opens(&target.host) || target.host.parse::<std::net::IpAddr>().is_ok();
    if !may_be_opened && !tunnels.pass_others {
        return Err(Refused::Other(target.host));
    }
    if front_door.shutdown.is_draining() {
        return Err(Refused::Shutdown);
    }
    if front_door.shutdown.running() >= front_door.limits.max_connections {
        return Err(Refused::Full);
    }
    if front_door.store.refuses() {
        return Err(Refused::Store);
    }
    Ok(target)
}

/// RFC 9110 section 9.3.6: authority form, and the port is not optional; clients that leave it out mean 443.
fn target(uri: &Uri) -> Result<Target, Refused> {
    let authority = uri.authority().ok_or(Refused::Target)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if host.is_empty() || authority.as_str().contains('@') || uri.scheme().is_some() {
        return Err(Refused::Target);
    }
    let port = match authority.port() {
        Some(port) => port.as_u16(),
        None if authority.as_str() == authority.host() => 443,
        // There is one, and it is no port.
        None => return Err(Refused::Target),
    };
    Ok(Target { host: host.into(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_in_every_form() {
        for (text, host, port) in [
            ("API.example.com:443", "api.example.com", 443),
            ("api.example.com", "api.example.com", 443),
            ("[2001:db8::1]:8443", "2001:db8::1", 8443),
            ("192.0.2.1:443", "192.0.2.1", 443),
        ] {
            let found = target(&text.parse().unwrap()).unwrap();
            assert_eq!((&*found.host, found.port), (host, port), "{text}");
        }
    }

    #[test]
    fn user_names_and_paths_are_no_targets() {
        for text in ["user@example.com:443", "/path", "api.example.com:99999", "http://api.example.com/"] {
            assert_eq!(target(&text.parse().unwrap()), Err(Refused::Target), "{text}");
        }
    }
}
