//! What other people's TLS clients think of our certificates: OpenSSL, Node, Python, and rustls.
//!
//! They must accept a leaf for a permitted host, and refuse whatever a thief signs with the root's key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

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
use rustls::pki_types::pem::PemObject;
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

    /// The certificate of the CA that signs leaves; it lies with its key.
    fn issuing(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path("ca-key.pem")).unwrap()
    }

    /// The pen of a thief who has both files.
    fn stolen(&self) -> Issuer<'static, KeyPair> {
        let key = KeyPair::from_pem(&fs::read_to_string(self.path("ca-key.pem")).unwrap()).unwrap();
        Issuer::from_ca_cert_der(&self.issuing(), key).unwrap()
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
    let (issuing, pen) = (ca.issuing(), ca.stolen());
    let forge = |what, victim, common_name, names| {
        let (leaf, key) = sign(&pen, common_name, names);
        Forgery { what, victim, chain: vec![leaf, issuing.clone()], key }
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
    forgeries.push(Forgery {
        what: "a CA below ours",
        victim: ELSEWHERE,
        chain: vec![leaf, below.into(), issuing],
        key,
    });
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

fn java(address: SocketAddr, name: &str, ca: &Path) -> Result<String, String> {
    const SOURCE: &str = r#"
import java.io.FileInputStream; import java.net.Socket; import java.security.KeyStore;
import java.security.cert.CertificateFactory; import javax.net.ssl.*;
public class Client {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        FileInputStream file = new FileInputStream(arguments[2]);
        store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        Socket plain = new Socket("127.0.0.1", port);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, arguments[1], port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        System.out.println(new String(socket.getInputStream().readNBytes(5)));
    }
}
"#;
    let folder = ca.parent().unwrap();
    if !folder.join("Client.class").exists() {
        let source = folder.join("Client.java");
        fs::write(&source, SOURCE).unwrap();
        run("javac", &[source.to_str().unwrap()]).unwrap();
    }
    let class_path = folder.to_str().unwrap();
    run("java", &["-cp", class_path, "Client", &address.port().to_string(), name, ca.to_str().unwrap()])
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
    let control = Forgery { what: "a permitted host", victim: HOST, chain: vec![leaf, ca.issuing()], key };
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

/// The one that ignores the constraints of a root that it trusts. Too large to be demanded of every machine: it is
/// skipped where there is no development kit, also where `CI` is set.
#[test]
fn java_accepts_ours_and_refuses_forgeries() {
    if Command::new("javac").arg("-version").output().is_ok_and(|output| output.status.success()) {
        accepts_ours_and_refuses_forgeries(java);
    } else {
        eprintln!("skipped: there is no Java development kit");
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

/// A certificate or list as PEM in a file.
fn pem_file(ca: &Ca, name: &str, label: &str, der: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let path = ca.path(name);
    fs::write(&path, format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The files `ca.pem`, `issuing.pem` and `leaf.pem`.
fn chain_files(ca: &Ca) -> [String; 3] {
    let leaf = ca.authority.leaf(HOST).unwrap();
    let root = ca.path("ca.pem").to_str().unwrap().to_owned();
    let issuing = pem_file(ca, "issuing.pem", "CERTIFICATE", &leaf.cert[1]);
    [root, issuing, pem_file(ca, "leaf.pem", "CERTIFICATE", &leaf.cert[0])]
}

#[test]
fn openssl_finds_the_certificates_strictly_right() {
    if !have(OPENSSL) {
        return;
    }
    let ca = Ca::new();
    let [root, issuing, leaf] = &chain_files(&ca);
    let verify = ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", root, "-untrusted", issuing];
    let said = run(OPENSSL, &[&verify[..], &["-purpose", "sslserver", "-verify_hostname", HOST, leaf]].concat());
    assert!(said.as_ref().is_ok_and(|said| said.contains("leaf.pem: OK")), "{said:?}");
    for purpose in ["smimesign", "sslclient", "timestampsign"] {
        let said = run(OPENSSL, &[&verify[..], &["-purpose", purpose, leaf]].concat());
        assert!(said.is_err(), "it is good for TLS servers only, not {purpose}: {said:?}");
    }

    // Versions of OpenSSL differ in how they break lines.
    let text = |file| {
        let text = run(OPENSSL, &["x509", "-in", file, "-noout", "-text"]).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let has = |text: &str, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    };
    let (root, issuing, leaf) = (text(root), text(issuing), text(leaf));
    for text in [&root, &issuing] {
        has(
            text,
            &[
                "X509v3 Basic Constraints: critical",
                "X509v3 Key Usage: critical Certificate Sign, CRL Sign",
                "X509v3 Extended Key Usage: TLS Web Server Authentication X509v3",
                "X509v3 Name Constraints: critical",
                "Permitted: DNS:copilot-proxy.githubusercontent.com DNS:githubcopilot.com Excluded:",
                "IP:0.0.0.0/0.0.0.0 IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
            ],
        );
    }
    has(&root, &["CA:TRUE, pathlen:1", "copilot-recorder CA "]);
    has(&issuing, &["CA:TRUE, pathlen:0", "copilot-recorder issuing CA ", "URI:http://127.0.0.1:8080/ca-root.crl"]);
    has(
        &leaf,
        &[
            "X509v3 Basic Constraints: critical CA:FALSE",
            "X509v3 Key Usage: critical Digital Signature X509v3",
            "X509v3 Extended Key Usage: TLS Web Server Authentication X509v3",
            "DNS:proxy.individual.githubcopilot.com X509v3",
            "URI:http://127.0.0.1:8080/ca.crl",
        ],
    );

    let id = |text: &str, whose: &str| {
        let (_, value) = text.split_once(&format!("X509v3 {whose} Key Identifier:")).unwrap();
        value.split_whitespace().next().unwrap().trim_start_matches("keyid:").to_owned()
    };
    assert_eq!(id(&leaf, "Authority"), id(&issuing, "Subject"));
    assert_eq!(id(&issuing, "Authority"), id(&root, "Subject"));
    assert_ne!(id(&leaf, "Subject"), id(&issuing, "Subject"), "a leaf never has the CA's key");
}

#[test]
fn openssl_verifies_both_crls() {
    if !have(OPENSSL) {
        return;
    }
    let ca = Ca::new();
    let [root, issuing, leaf] = &chain_files(&ca);
    let (lower, upper) = (ca.authority.crl_der().unwrap(), ca.authority.root_crl_der().unwrap());
    let crls = [("issuing.crl", &lower, issuing), ("root.crl", &upper, root)].map(|(name, der, issuer)| {
        let path = ca.path(name);
        fs::write(&path, der).unwrap();
        let path = path.to_str().unwrap();
        let said = run(OPENSSL, &["crl", "-inform", "DER", "-in", path, "-CAfile", issuer, "-noout", "-text"]).unwrap();
        assert!(said.contains("verify OK") && said.contains("No Revoked Certificates."), "{said}");
        fs::read_to_string(pem_file(&ca, &format!("{name}.pem"), "X509 CRL", der)).unwrap()
    });
    let both = ca.path("both.pem");
    fs::write(&both, crls.concat()).unwrap();
    let verify = ["verify", "-x509_strict", "-crl_check_all", "-CRLfile", both.to_str().unwrap()];
    let said = run(OPENSSL, &[&verify[..], &["-CAfile", root, "-untrusted", issuing, leaf]].concat());
    assert!(said.as_ref().is_ok_and(|said| said.contains("leaf.pem: OK")), "{said:?}");
}
