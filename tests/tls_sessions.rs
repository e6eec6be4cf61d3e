//! Handshakes in memory: protocols, versions, resumption, on both sides.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use copilot_recorder::rules::HostPattern;
use copilot_recorder::tls::{Authority, ClientConfigs, ServerConfigs};
use hudsucker::certificate_authority::CertificateAuthority;
use rustls::crypto::SupportedKxGroup;
use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, NamedGroup, ProtocolVersion, ServerConfig,
    ServerConnection,
};

const HOST: &str = "api.githubcopilot.com";
const OTHER: &str = "proxy.githubcopilot.com";

struct Setup {
    servers: ServerConfigs,
    ca: PathBuf,
    _folder: tempfile::TempDir,
}

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let open = [HostPattern::parse("*.githubcopilot.com").unwrap()];
    let (authority, _) = Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:8080").unwrap();
    Setup {
        servers: ServerConfigs::new(Arc::new(authority)).unwrap(),
        ca: folder.path().join("ca.pem"),
        _folder: folder,
    }
}

impl Setup {
    fn clients(&self) -> ClientConfigs {
        ClientConfigs::new(std::slice::from_ref(&self.ca)).unwrap()
    }

    fn server(&self, name: &str, alpn: Option<&str>) -> Arc<ServerConfig> {
        self.servers.config(name, alpn.map(str::as_bytes)).unwrap()
    }
}

fn list(alpn: &[&str]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
}

/// What both ends agree on after a handshake.
#[derive(Debug, PartialEq)]
struct Agreed {
    kind: HandshakeKind,
    alpn: Option<String>,
    version: ProtocolVersion,
    group: Option<NamedGroup>,
    sni: Option<String>,
}

/// Shakes hands, tickets included; the error is that of the side that found something wrong.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &str) -> Result<Agreed, Error> {
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from(name.to_owned()).unwrap())?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    loop {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut up).unwrap();
        }
        let mut bytes = &up[..];
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets()?;
        }
        while server.wants_write() {
            server.write_tls(&mut down).unwrap();
        }
        let mut bytes = &down[..];
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets()?;
        }
        if up.is_empty() && down.is_empty() {
            break;
        }
    }
    assert_eq!(client.alpn_protocol(), server.alpn_protocol());
    assert_eq!(client.handshake_kind(), server.handshake_kind());
    Ok(Agreed {
        kind: client.handshake_kind().unwrap(),
        alpn: client.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        version: client.protocol_version().unwrap(),
        group: client.negotiated_key_exchange_group().map(SupportedKxGroup::name),
        sni: server.server_name().map(ToOwned::to_owned),
    })
}

#[test]
fn the_second_connection_resumes_the_first() {
    let setup = setup();
    let clients = setup.clients();
    let client = clients.config(&list(&["h2", "http/1.1"]), true);
    let server = || setup.server(HOST, Some("h2"));
    assert_eq!(handshake(&client, &server(), HOST).unwrap().kind, HandshakeKind::Full);
    for _ in 0..20 {
        // Each time a new configuration, as each tunnel has.
        let agreed = handshake(&client, &server(), HOST).unwrap();
        assert_eq!((agreed.kind, agreed.alpn.as_deref()), (HandshakeKind::Resumed, Some("h2")));
    }
    assert_eq!(handshake(&client, &setup.server(OTHER, Some("h2")), OTHER).unwrap().kind, HandshakeKind::Full);
}

#[test]
fn two_tunnels_at_once_both_resume() {
    let setup = setup();
    let client = setup.clients().config(&[], true);
    let server = setup.server(HOST, None);
    handshake(&client, &server, HOST).unwrap();
    // Each start takes one ticket out of the store; neither gets a new one before both have begun.
    let name = || ServerName::try_from(HOST).unwrap();
    let hello = |connection: &mut ClientConnection| {
        let mut bytes = Vec::new();
        connection.write_tls(&mut bytes).unwrap();
        bytes
    };
    let mut both = [(); 2].map(|()| ClientConnection::new(Arc::clone(&client), name()).unwrap());
    for hello in both.each_mut().map(hello) {
        let mut connection = ServerConnection::new(Arc::clone(&server)).unwrap();
        connection.read_tls(&mut &hello[..]).unwrap();
        connection.process_new_packets().unwrap();
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn tls_1_2_works_and_resumes() {
    let setup = setup();
    let server = setup.server(HOST, Some("http/1.1"));
    let only_12 = Arc::new(only_tls12(&setup.ca));
    let first = handshake(&only_12, &server, HOST).unwrap();
    assert_eq!((first.kind, first.version), (HandshakeKind::Full, ProtocolVersion::TLSv1_2));
    let second = handshake(&only_12, &setup.server(HOST, Some("http/1.1")), HOST).unwrap();
    assert_eq!((second.kind, second.version), (HandshakeKind::Resumed, ProtocolVersion::TLSv1_2));
}

fn only_tls12(ca: &Path) -> ClientConfig {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(copilot_recorder::tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = list(&["http/1.1"]);
    config
}

#[test]
fn the_client_gets_the_protocol_that_the_upstream_chose() {
    let setup = setup();
    let clients = setup.clients();
    let cases: [(&[&str], Option<&str>, Option<&str>); 5] = [
        (&["h2", "http/1.1"], Some("http/1.1"), Some("http/1.1")),
        (&["http/1.1", "h2"], Some("h2"), Some("h2")),
        (&["h2", "http/1.1", "http/1.0"], Some("http/1.0"), Some("http/1.0")),
        (&["h2"], None, None),
        (&[], None, None),
    ];
    for (offered, chosen, expected) in cases {
        let client = clients.config(&list(offered), true);
        let agreed = handshake(&client, &setup.server(HOST, chosen), HOST).unwrap();
        assert_eq!(agreed.alpn.as_deref(), expected, "{offered:?} {chosen:?}");
    }
    let error = handshake(&clients.config(&list(&["http/1.1"]), true), &setup.server(HOST, Some("h2")), HOST);
    assert_eq!(error, Err(Error::NoApplicationProtocol));
}

#[test]
fn a_session_is_not_carried_over_to_other_protocols() {
    let setup = setup();
    let clients = setup.clients();
    let first = handshake(&clients.config(&list(&["h2"]), true), &setup.server(HOST, Some("h2")), HOST).unwrap();
    assert_eq!(first.kind, HandshakeKind::Full);
    let http1 = clients.config(&list(&["http/1.1"]), true);
    let other = handshake(&http1, &setup.server(HOST, Some("http/1.1")), HOST).unwrap();
    assert_eq!((other.kind, other.alpn.as_deref()), (HandshakeKind::Full, Some("http/1.1")));

    // A client of another make may do so; it then gets what was chosen this time, not what it had.
    let mut mixed = only_tls12(&setup.ca);
    mixed.alpn_protocols = list(&["h2", "http/1.1"]);
    let mixed = Arc::new(mixed);
    handshake(&mixed, &setup.server(HOST, Some("h2")), HOST).unwrap();
    let again = handshake(&mixed, &setup.server(HOST, Some("http/1.1")), HOST).unwrap();
    assert_eq!((again.kind, again.alpn.as_deref()), (HandshakeKind::Resumed, Some("http/1.1")));
}

#[test]
fn the_name_goes_out_as_the_client_sent_it() {
    let setup = setup();
    let clients = setup.clients();
    let server = setup.server(HOST, None);
    let with = handshake(&clients.config(&[], true), &server, HOST).unwrap();
    assert_eq!(with.sni.as_deref(), Some(HOST));
    let without = handshake(&clients.config(&[], false), &server, HOST).unwrap();
    assert_eq!((without.kind, without.sni), (HandshakeKind::Full, None));
}

#[test]
fn a_session_of_one_host_is_worth_nothing_at_another() {
    let setup = setup();
    // A client that mixes names up: it has a ticket of HOST, and the server that it meets is OTHER's.
    let client = setup.clients().config(&[], true);
    handshake(&client, &setup.server(HOST, None), HOST).unwrap();
    let error = handshake(&client, &setup.server(OTHER, None), OTHER).unwrap();
    assert_eq!(error.kind, HandshakeKind::Full);
}

#[test]
fn what_was_never_trusted_is_never_resumed() {
    let (ours, stranger) = (setup(), setup());
    let client = ours.clients().config(&[], true);
    for _ in 0..3 {
        let error = handshake(&client, &stranger.server(HOST, None), HOST).unwrap_err();
        assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
    }
    // Nor does a session made under some trust anchors serve under others.
    handshake(&client, &ours.server(HOST, None), HOST).unwrap();
    let mut other = (*stranger.clients().config(&[], true)).clone();
    other.resumption = client.resumption.clone();
    let error = handshake(&Arc::new(other), &ours.server(HOST, None), HOST).unwrap_err();
    assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
}

#[test]
fn a_wrong_name_is_refused() {
    let setup = setup();
    let error = handshake(&setup.clients().config(&[], true), &setup.server(OTHER, None), HOST).unwrap_err();
    assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
}

#[test]
fn the_hybrid_key_exchange_is_used_where_the_client_asks_for_it() {
    let setup = setup();
    let clients = setup.clients();
    let server = setup.server(HOST, None);
    let classical = handshake(&clients.config(&[], true), &server, HOST).unwrap();
    assert_eq!(classical.group, Some(NamedGroup::X25519));
    let hybrid = handshake(&clients.config_with(&[], true, true), &server, HOST).unwrap();
    assert_eq!(hybrid.group, Some(NamedGroup::X25519MLKEM768));
}

#[test]
fn a_name_that_is_not_permitted_gets_no_configuration() {
    let setup = setup();
    assert!(setup.servers.config("www.bank.example", None).is_err());
    assert!(setup.servers.config("127.0.0.1", None).is_err());
}

#[tokio::test]
async fn hudsucker_gets_a_configuration_or_a_refusal() {
    let setup = setup();
    let client = setup.clients().config(&list(&["http/1.1"]), true);
    let config = setup.servers.gen_server_config(&format!("{HOST}:443").parse().unwrap()).await;
    assert_eq!(handshake(&client, &config, HOST).unwrap().alpn.as_deref(), Some("http/1.1"));
    let config = setup.servers.gen_server_config(&"www.bank.example:443".parse().unwrap()).await;
    let error = handshake(&client, &config, "www.bank.example").unwrap_err();
    assert!(
        matches!(error, Error::General(_) | Error::AlertReceived(AlertDescription::AccessDenied)),
        "the handshake ends: {error:?}"
    );
}
