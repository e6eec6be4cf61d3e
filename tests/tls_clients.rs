//! What other people's TLS clients think of our certificates: OpenSSL, Node, Python, and rustls.
//!
//! They must accept a leaf for a permitted host, and refuse whatever a thief signs with the root's key.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use copilot_recorder::rules::HostPattern;
use copilot_recorder::tls::{Authority, ClientConfigs, ServerConfigs};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConnection, ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

const HOST: &str = "proxy.individual.githubcopilot.com";
const ELSEWHERE: &str = "www.bank.example";

/// A CA on disk, as the program makes it.
struct Ca {
    folder: TempDir,
    authority: Arc<Authority>,
}

impl Ca {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = ["*.githubcopilot.com", "copilot-proxy.githubusercontent.com"]
            .map(|text| HostPattern::parse(text).unwrap());
        let (authority, _) = Authority::load_or_create(folder.path(), &open, "http://127.0.0.1:8080").unwrap();
        Self { folder, authority: Arc::new(authority) }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The pen of a thief who has both files.
    fn stolen(&self) -> Issuer<'static, KeyPair> {
        let key = KeyPair::from_pem(&fs::read_to_string(self.path("ca-key.pem")).unwrap()).unwrap();
        Issuer::from_ca_cert_pem(&fs::read_to_string(self.path("ca.pem")).unwrap(), key).unwrap()
    }
}

/// A server certificate that the thief signed, and the name by which a victim would connect.
struct Forgery {
    what: &'static str,
    victim: &'static str,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn sign(issuer: &Issuer<'_, KeyPair>, common_name: &str, names: Vec<SanType>) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.not_after = params.not_before + time::Duration::days(40_000);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.subject_alt_names = names;
    params.use_authority_key_identifier_extension = true;
    (params.signed_by(&key, issuer).unwrap().into(), key)
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name).unwrap())
}

fn forgeries(ca: &Ca) -> Vec<Forgery> {
    let (root, pen) = (ca.authority.certificate_der().clone(), ca.stolen());
    let forge = |what, victim, common_name, names| {
        let (leaf, key) = sign(&pen, common_name, names);
        Forgery { what, victim, chain: vec![leaf, root.clone()], key }
    };
    let mut forgeries = vec![
        forge("another host", ELSEWHERE, ELSEWHERE, vec![dns(ELSEWHERE)]),
        forge("another host beside a permitted one", ELSEWHERE, HOST, vec![dns(HOST), dns(ELSEWHERE)]),
        forge(
            "a permitted name inside another",
            "githubcopilot.com.evil.example",
            "x",
            vec![dns("githubcopilot.com.evil.example")],
        ),
        forge("a wildcard elsewhere", ELSEWHERE, "x", vec![dns("*.bank.example")]),
        forge("another host in the common name only", ELSEWHERE, ELSEWHERE, vec![]),
        forge("an address", "127.0.0.1", "x", vec![SanType::IpAddress([127, 0, 0, 1].into())]),
    ];

    // What the root may not do, a CA below it may not either; and there must not be one.
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "CA of a thief");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let below = params.signed_by(&key, &pen).unwrap();
    let (leaf, key) = sign(&Issuer::new(params, key), "x", vec![dns(ELSEWHERE)]);
    forgeries.push(Forgery { what: "a CA below ours", victim: ELSEWHERE, chain: vec![leaf, below.into(), root], key });
    forgeries
}

impl Forgery {
    fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(copilot_recorder::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key);
        Arc::new(config.unwrap())
    }
}

/// Serves handshakes until the test's process ends; says `hello` in each.
fn serve(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut connection = ServerConnection::new(config).unwrap();
                let mut stream = Stream::new(&mut connection, &mut socket);
                let _ = stream.write_all(b"hello").and_then(|()| stream.flush());
                stream.conn.send_close_notify();
                let _ = stream.flush();
                let _ = stream.read(&mut [0; 16]);
            });
        }
    });
    address
}

/// A client under test: what it says about a server, `Ok` if it accepted the certificate.
type Client = fn(SocketAddr, &str, &Path) -> Result<String, String>;

const OPENSSL: &str = "openssl";
const NODE: &str = "node";
const PYTHON: &str = "python3";

/// Whether the program is there. Where `CI` is set its absence is a failure, else the test is skipped and says so.
fn have(program: &str) -> bool {
    let version = if program == OPENSSL { "version" } else { "--version" };
    let found = Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "{program} is not installed");
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

fn outcome(output: &Output) -> Result<String, String> {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(said) }
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    outcome(&Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap())
}

fn openssl(address: SocketAddr, name: &str, ca: &Path) -> Result<String, String> {
    let address = address.to_string();
    let (kind, sni) = if name.parse::<std::net::IpAddr>().is_ok() {
        ("-verify_ip", vec!["-noservername"])
    } else {
        ("-verify_hostname", vec!["-servername", name])
    };
    let mut arguments =
        vec!["s_client", "-connect", &address, "-CAfile", ca.to_str().unwrap(), "-no-CApath", "-no-CAstore"];
    arguments.extend(["-x509_strict", "-verify_return_error", "-ign_eof", kind, name]);
    arguments.extend(sni);
    let said = run(OPENSSL, &arguments)?;
    if said.contains("Verify return code: 0 (ok)") && said.contains("hello") { Ok(said) } else { Err(said) }
}

fn node(address: SocketAddr, name: &str, ca: &Path) -> Result<String, String> {
    const SCRIPT: &str = "
        const [port, name, ca] = process.argv.slice(1);
        const servername = require('net').isIP(name) ? '' : name;
        const options = { host: '127.0.0.1', port, servername, ca: require('fs').readFileSync(ca) };
        options.checkServerIdentity = (_, certificate) => require('tls').checkServerIdentity(name, certificate);
        const socket = require('tls').connect(options, () => { console.log('authorized', socket.authorized); });
        socket.on('error', error => { console.log(error.code, error.message); process.exit(1); });
        socket.on('data', data => { console.log(String(data)); socket.end(); });
    ";
    run(NODE, &["-e", SCRIPT, &address.port().to_string(), name, ca.to_str().unwrap()])
}

fn python(address: SocketAddr, name: &str, ca: &Path) -> Result<String, String> {
    const SCRIPT: &str = "
import socket, ssl, sys
port, name, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(('127.0.0.1', int(port))) as plain:
    with context.wrap_socket(plain, server_hostname=name) as stream:
        print(stream.recv(5).decode())
";
    run(PYTHON, &["-c", SCRIPT, &address.port().to_string(), name, ca.to_str().unwrap()])
}

fn rustls(address: SocketAddr, name: &str, ca: &Path) -> Result<String, String> {
    let config = ClientConfigs::new(&[ca.to_owned()]).unwrap().config(&[], true);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut said = [0; 5];
    Stream::new(&mut connection, &mut socket).read_exact(&mut said).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn accepts_ours_and_refuses_forgeries(client: Client) {
    let ca = Ca::new();
    let ours = ServerConfigs::new(Arc::clone(&ca.authority)).unwrap();
    for name in [HOST, "githubcopilot.com", "copilot-proxy.githubusercontent.com"] {
        let said = client(serve(ours.config(name, None).unwrap()), name, &ca.path("ca.pem"));
        assert!(said.as_ref().is_ok_and(|said| said.contains("hello")), "{name} is accepted: {said:?}");
    }

    // What the thief signs is sound but for its name: for a permitted one it is accepted, so it is the name
    // (or the CA between) that the others are refused for.
    let (leaf, key) = sign(&ca.stolen(), HOST, vec![dns(HOST)]);
    let control = Forgery { what: "a permitted host", victim: HOST, chain: vec![leaf], key };
    let said = client(serve(control.server()), control.victim, &ca.path("ca.pem"));
    assert!(said.is_ok(), "{} is accepted: {said:?}", control.what);

    for forgery in forgeries(&ca) {
        let said = client(serve(forgery.server()), forgery.victim, &ca.path("ca.pem"));
        assert!(said.is_err(), "{} is refused: {said:?}", forgery.what);
    }
}

#[test]
fn openssl_accepts_ours_and_refuses_forgeries() {
    if have(OPENSSL) {
        accepts_ours_and_refuses_forgeries(openssl);
    }
}

#[test]
fn node_accepts_ours_and_refuses_forgeries() {
    if have(NODE) {
        accepts_ours_and_refuses_forgeries(node);
    }
}

#[test]
fn python_accepts_ours_and_refuses_forgeries() {
    if have(PYTHON) {
        accepts_ours_and_refuses_forgeries(python);
    }
}

#[test]
fn rustls_accepts_ours_and_refuses_forgeries() {
    accepts_ours_and_refuses_forgeries(rustls);
}

#[test]
fn the_reason_is_the_constraint() {
    if !have(OPENSSL) {
        return;
    }
    let ca = Ca::new();
    for forgery in forgeries(&ca) {
        let reason = match forgery.what {
            "an address" => "excluded subtree violation",
            "a CA below ours" => "path length constraint exceeded",
            _ => "permitted subtree violation",
        };
        let said = openssl(serve(forgery.server()), forgery.victim, &ca.path("ca.pem")).unwrap_err();
        assert!(said.contains(reason), "{}: {said}", forgery.what);
    }
}

/// The leaf as PEM in a file.
fn leaf_file(ca: &Ca) -> PathBuf {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let leaf = ca.authority.leaf(HOST).unwrap();
    let text = BASE64_STANDARD.encode(&leaf.cert[0]);
    let path = ca.path("leaf.pem");
    fs::write(&path, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")).unwrap();
    path
}

#[test]
fn openssl_finds_the_certificates_strictly_right() {
    if !have(OPENSSL) {
        return;
    }
    let ca = Ca::new();
    let (root, leaf) = (ca.path("ca.pem"), leaf_file(&ca));
    let (root, leaf) = (root.to_str().unwrap(), leaf.to_str().unwrap());
    let strict = ["verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver", "-verify_hostname", HOST];
    let said = run(OPENSSL, &[&strict[..], &["-CAfile", root, leaf]].concat());
    assert!(said.as_ref().is_ok_and(|said| said.contains("leaf.pem: OK")), "{said:?}");
    for purpose in ["smimesign", "sslclient", "timestampsign"] {
        let said = run(OPENSSL, &["verify", "-purpose", purpose, "-CAfile", root, leaf]);
        assert!(said.is_err(), "the root serves TLS servers only, not {purpose}: {said:?}");
    }

    // Versions of OpenSSL differ in how they break lines.
    let text = |file| {
        let text = run(OPENSSL, &["x509", "-in", file, "-noout", "-text"]).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (root, leaf) = (text(root), text(leaf));
    for part in [
        "CA:TRUE, pathlen:0",
        "X509v3 Basic Constraints: critical",
        "X509v3 Key Usage: critical Certificate Sign, CRL Sign",
        "X509v3 Name Constraints: critical",
        "Permitted: DNS:copilot-proxy.githubusercontent.com DNS:githubcopilot.com Excluded:",
        "IP:0.0.0.0/0.0.0.0 IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
        "copilot-recorder CA ",
    ] {
        assert!(root.contains(part), "{part:?} in {root}");
    }
    for part in [
        "X509v3 Basic Constraints: critical CA:FALSE",
        "X509v3 Key Usage: critical Digital Signature X509v3",
        "X509v3 Extended Key Usage: TLS Web Server Authentication X509v3",
        "DNS:proxy.individual.githubcopilot.com X509v3",
        "URI:http://127.0.0.1:8080/ca.crl",
    ] {
        assert!(leaf.contains(part), "{part:?} in {leaf}");
    }
    let after = |text: &str, label: &str| {
        let value = text.split_once(label).unwrap().1.split_whitespace().next().unwrap();
        value.trim_start_matches("keyid:").to_owned()
    };
    let id = after(&root, "X509v3 Subject Key Identifier:");
    assert_eq!(after(&leaf, "X509v3 Authority Key Identifier:"), id);
    assert_ne!(after(&leaf, "X509v3 Subject Key Identifier:"), id, "a leaf never has the root's key");
}

#[test]
fn openssl_verifies_the_crl() {
    if !have(OPENSSL) {
        return;
    }
    let ca = Ca::new();
    let (root, leaf, crl) = (ca.path("ca.pem"), leaf_file(&ca), ca.path("ca.crl"));
    fs::write(&crl, ca.authority.crl_der().unwrap()).unwrap();
    let (root, leaf, crl) = (root.to_str().unwrap(), leaf.to_str().unwrap(), crl.to_str().unwrap());
    let said = run(OPENSSL, &["crl", "-inform", "DER", "-in", crl, "-CAfile", root, "-noout", "-text"]).unwrap();
    assert!(said.contains("verify OK") && said.contains("No Revoked Certificates."), "{said}");

    let pem = ca.path("crl.pem");
    let pem = pem.to_str().unwrap();
    run(OPENSSL, &["crl", "-inform", "DER", "-in", crl, "-out", pem]).unwrap();
    let said = run(OPENSSL, &["verify", "-x509_strict", "-crl_check", "-CRLfile", pem, "-CAfile", root, leaf]);
    assert!(said.as_ref().is_ok_and(|said| said.contains("leaf.pem: OK")), "{said:?}");
}
