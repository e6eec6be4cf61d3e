//! How each system is told to trust the CA (docs/clients.md).

use maud::{Markup, html};

use super::Proxy;
use crate::web::pages::parts::to_copy;

pub(super) fn sections(proxy: &Proxy) -> Markup {
    let fetch = format!("curl -fsS -o copilot-recorder-ca.pem http://{}/ca.pem", proxy.address);
    let debian = format!(
        "{fetch}\nsudo cp copilot-recorder-ca.pem /usr/local/share/ca-certificates/copilot-recorder.crt\nsudo update-ca-certificates"
    );
    let fedora =
        format!("{fetch}\nsudo cp copilot-recorder-ca.pem /etc/pki/ca-trust/source/anchors/\nsudo update-ca-trust");
    let arch = format!("{fetch}\nsudo trust anchor copilot-recorder-ca.pem");
    let macos = format!(
        "{fetch}\nsudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain copilot-recorder-ca.pem"
    );
    let windows = format!(
        "curl.exe -fsS -o copilot-recorder-ca.cer http://{}/ca.cer\ncertutil -user -addstore Root copilot-recorder-ca.cer",
        proxy.address
    );
    let container = "COPY copilot-recorder-ca.pem /usr/local/share/ca-certificates/copilot-recorder.crt\n\
                     RUN update-ca-certificates\n\
                     ENV NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/copilot-recorder.crt";
    html! {
        details { summary { "Linux" }
            p { "Debian, Ubuntu:" } (to_copy("trust-debian", &debian))
            p { "Fedora, RHEL, Rocky:" } (to_copy("trust-fedora", &fedora))
            p { "Arch:" } (to_copy("trust-arch", &arch))
            p { "Chromium and VS Code's own window read a store of their own as well (package libnss3-tools or nss-tools):" }
            (to_copy("trust-nss", "certutil -d sql:$HOME/.pki/nssdb -A -t \"C,,\" -n copilot-recorder -i copilot-recorder-ca.pem"))
        }
        details { summary { "macOS" } (to_copy("trust-macos", &macos)) }
        details { summary { "Windows" }
            p { "For one user; for the whole machine without " code { "-user" } ", in a terminal run as administrator:" }
            (to_copy("trust-windows", &windows))
        }
        details { summary { "WSL, SSH, containers, Codespaces" }
            p { "The Copilot extension may run on the other side, with that side's trust, environment and settings: install the CA \
                 there, too. " code { "127.0.0.1" } " is that side itself there; from WSL the host's address is what "
                code { "ip route show default" } " says, and the proxy must listen on it. In a Dockerfile:" }
            (to_copy("trust-container", container))
        }
        details { summary { "Language servers and the Copilot CLI (Node), on every system" }
            p { "Inside JetBrains, Visual Studio, Vim, Eclipse and Xcode a Node program talks to Copilot, and Node need not read the \
                 system's store. The variable must be set before the editor starts, with an absolute path: Node ignores one \
                 that it does not find." }
            p { "Linux, macOS (in " code { "~/.profile" } "):" }
            (to_copy("trust-node", "export NODE_EXTRA_CA_CERTS=/absolute/path/copilot-recorder-ca.pem"))
            p { "macOS, for programs started from the Dock, until the next login:" }
            (to_copy("trust-node-macos", "launchctl setenv NODE_EXTRA_CA_CERTS /absolute/path/copilot-recorder-ca.pem"))
            p { "Windows; then sign out and in:" }
            (to_copy("trust-node-windows", "setx NODE_EXTRA_CA_CERTS C:\\absolute\\path\\copilot-recorder-ca.pem"))
        }
    }
}
