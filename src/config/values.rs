//! Texts read as what settings hold: addresses, sizes, times, targets, proxies.
//!
//! A reason for refusal says what is allowed. It repeats the text only where that cannot be a secret.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ConnectTo, Layout, OnStoreFailure, Redact, UpstreamProxy};

type Read<T> = Result<T, String>;

pub(super) fn switch(text: &str) -> Read<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

pub(super) fn number(text: &str) -> Read<usize> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{text:?} is not a whole number above 0")),
    }
}

pub(super) fn port(text: &str) -> Read<u16> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("{text:?} is not a port from 1 to 65535")),
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.
pub(super) fn listen(text: &str) -> Read<SocketAddr> {
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    local
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("{text:?} is not an address and a port; write 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080"))
}

/// `HOST` or `HOST:PORT`, given its port where it has none.
pub(super) fn advertise(text: &str, default_port: u16) -> Read<String> {
    let wrong = |_| format!("{text:?} is not a name and a port; write proxy.example.com:8080");
    let address = text.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    let mut parts = Parts::of(address.as_deref().unwrap_or(text));
    let host = parts.host().and_then(|host| host.ok_or(())).map_err(wrong)?;
    let port = parts.port().map_err(wrong)?.unwrap_or(default_port);
    parts.end().map_err(wrong)?;
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

/// A name as it stands in an address, without scheme and port.
pub(super) fn web_host(text: &str) -> Read<String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if name.is_empty() || !name.bytes().all(is_letter) {
        return Err(format!("{text:?} is not a name; write recorder.example.com, without http:// and port"));
    }
    Ok(name)
}

/// A number of bytes: `65536`, `64 KiB`, `16MiB`, `1 GB`.
pub(super) fn size(text: &str) -> Read<usize> {
    let units = [
        ("", 1),
        ("b", 1),
        ("kb", 1000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];
    with_unit(text, &units)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| format!("{text:?} is not a size; write 65536, \"64 KiB\" or \"16 MiB\""))
}

/// A span of time of at least a millisecond and at most a day.
pub(super) fn time(text: &str) -> Read<Duration> {
    let units = [("", 1000), ("ms", 1), ("s", 1000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000)];
    match with_unit(text, &units) {
        Some(millis @ 1..=86_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err(format!("{text:?} is not a time of up to a day; write 10, \"500 ms\", \"10 s\" or \"2 min\"")),
    }
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

pub(super) fn layout(text: &str) -> Read<Layout> {
    match text {
        "{kind}" => Ok(Layout::Kind),
        "{kind}/{date}" => Ok(Layout::KindDate),
        "{user}/{kind}" => Ok(Layout::UserKind),
        _ => Err(format!("{text:?} is not a layout; there are {{kind}}, {{kind}}/{{date}} and {{user}}/{{kind}}")),
    }
}

pub(super) fn redact(text: &str) -> Read<Redact> {
    match text {
        "secrets" => Ok(Redact::Secrets),
        "none" => Ok(Redact::None),
        _ => Err(format!("{text:?} cannot be redacted; there are secrets and none")),
    }
}

pub(super) fn on_store_failure(text: &str) -> Read<OnStoreFailure> {
    match text {
        "continue" => Ok(OnStoreFailure::Continue),
        "refuse" => Ok(OnStoreFailure::Refuse),
        _ => Err(format!("{text:?} is not known; there are continue and refuse")),
    }
}

/// `HOST:PORT:ADDR:PORT` with curl's meaning; IPv6 addresses in brackets.
pub(super) fn connect_to(text: &str) -> Read<ConnectTo> {
    let wrong = |()| format!("{text:?} is not HOST:PORT:ADDR:PORT; empty parts keep their colon, IPv6 is in brackets");
    let mut parts = Parts::of(text);
    let host = parts.host().map_err(wrong)?.map(|host| host.to_ascii_lowercase());
    let port = parts.port().map_err(wrong)?;
    let to_host = parts.host().map_err(wrong)?;
    let to_port = parts.port().map_err(wrong)?;
    let full = parts.taken == 4;
    parts.end().ok().filter(|()| full).ok_or(()).map_err(wrong)?;
    Ok(ConnectTo { host, port, to_host, to_port })
}

/// `http://[USER:PASSWORD@]HOST:PORT`. No reason repeats any part of it.
pub(super) fn upstream_proxy(url: &str) -> Read<UpstreamProxy> {
    let form = "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT";
    let Some((scheme, rest)) = url.split_once("://") else { return Err(format!("not a proxy's URL; {form}")) };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("the proxy itself is spoken to in plain HTTP only: the URL must begin with http://".into());
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let (credentials, address) = match authority.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials), address),
        None => (None, authority),
    };
    let mut parts = Parts::of(address);
    let host = parts.host().ok().flatten();
    let port = parts.port().ok().flatten();
    let (Some(host), Some(port), Ok(())) = (host, port, parts.end()) else {
        return Err(format!("the proxy's name or port is missing or cannot be read; {form}"));
    };
    let authorization = credentials.map(basic).transpose()?;
    Ok(UpstreamProxy { host, port, authorization })
}

fn basic(credentials: &str) -> Read<String> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let decode = |text| {
        percent_decode(text)
            .ok_or("a % in the proxy's name or password is not followed by two hex digits; write % as %25")
    };
    let mut pair = decode(user)?;
    if pair.contains(&b':') {
        return Err("the proxy's user name holds a colon, which the Basic scheme does not allow".into());
    }
    pair.push(b':');
    pair.extend(decode(password)?);
    Ok(format!("Basic {}", STANDARD.encode(pair)))
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    Some(decoded)
}

/// The parts of a text between colons; a colon within brackets belongs to an IPv6 address.
struct Parts<'a> {
    rest: Option<&'a str>,
    taken: usize,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: Some(text), taken: 0 }
    }

    /// A name or an address, without brackets; `None` where it is empty.
    fn host(&mut self) -> Result<Option<String>, ()> {
        let Some(rest) = self.rest else { return Ok(None) };
        if let Some(rest) = rest.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or(())?;
            let address: Ipv6Addr = address.parse().map_err(|_| ())?;
            self.rest = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(())?) };
            self.taken += 1;
            return Ok(Some(IpAddr::V6(address).to_string()));
        }
        let part = self.part();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if part.len() > 253 || !part.bytes().all(fits) {
            return Err(());
        }
        Ok((!part.is_empty()).then(|| part.to_owned()))
    }

    fn port(&mut self) -> Result<Option<u16>, ()> {
        let part = self.part();
        if part.is_empty() { Ok(None) } else { port(part).map(Some).map_err(|_| ()) }
    }

    fn end(self) -> Result<(), ()> {
        if self.rest.is_none() { Ok(()) } else { Err(()) }
    }

    fn part(&mut self) -> &'a str {
        let Some(rest) = self.rest else { return "" };
        self.taken += 1;
        match rest.split_once(':') {
            Some((part, rest)) => {
                self.rest = Some(rest);
                part
            }
            None => {
                self.rest = None;
                rest
            }
        }
    }
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
