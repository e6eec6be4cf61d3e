//! The proxy's address in each editor's settings (docs/clients.md).

use maud::{Markup, html};

use super::Proxy;
use crate::web::pages::parts::to_copy;

pub(super) fn sections(proxy: &Proxy) -> Markup {
    let url = &proxy.url;
    let vscode = format!("\"http.proxy\": \"{url}\",\n\"http.proxySupport\": \"override\",");
    let vim = format!("let g:copilot_proxy = '{url}'");
    let environment =
        format!("export HTTPS_PROXY={url}\nexport NODE_EXTRA_CA_CERTS=/absolute/path/copilot-recorder-ca.pem");
    let visual_studio = format!("setx HTTPS_PROXY {url}");
    let zed = format!("\"proxy\": \"{url}\",");
    let by_hand = html! {
        dl.facts {
            dt { "Host" } dd.mono { (proxy.host) }
            dt { "Port" } dd.mono { (proxy.port) }
            @if proxy.asks { dt { "Proxy authentication" } dd { "name and password" } }
        }
    };
    html! {
        h2 #editors { "2. Set the proxy's address" }
        @if proxy.asks {
            p { "Put your name and password in place of " code { "NAME" } " and " code { "PASSWORD" } "; there "
                code { "@ : / %" } " are written " code { "%40 %3A %2F %25" } "." }
        }
        p { "The address begins with " code { "http://" } ": clients cannot speak TLS to a proxy; what goes through it is TLS." }
        details open { summary { "VS Code" }
            p { "Settings (JSON), for SSH, WSL and containers in the remote settings; then start it again:" }
            (to_copy("vscode", &vscode))
            p.muted { "Leave http.proxyStrictSSL and http.systemCertificates on." }
        }
        details { summary { "JetBrains IDEs" }
            p { "Settings → Appearance & Behavior → System Settings → HTTP Proxy → Manual, HTTP:" }
            (by_hand)
            p { "Settings → Tools → Server Certificates → +: the CA. The Copilot plugin's language server has its own idea of both: set "
                code { "NODE_EXTRA_CA_CERTS" } " too." }
        }
        details { summary { "Visual Studio" }
            p { "It uses Windows' proxy settings, but not the credentials in them. Set one of these for the user and start it again:" }
            (to_copy("visual-studio", &visual_studio))
            (to_copy("visual-studio-default", "setx COPILOT_USE_DEFAULTPROXY true"))
        }
        details { summary { "Neovim and Vim" }
            (to_copy("vim", &vim))
            p { "and " code { "NODE_EXTRA_CA_CERTS" } " in the environment. CopilotChat.nvim uses curl: its option "
                code { "proxy" } ", and the system's store." }
        }
        details { summary { "Copilot CLI" }
            (to_copy("cli", &environment))
        }
        details { summary { "Helix, Emacs, RStudio, and others that start the language server" }
            p { "In the environment that starts them:" }
            (to_copy("environment", &environment))
        }
        details { summary { "Xcode" }
            p { "In the settings of the Copilot app; the CA in the system's keychain." }
            (to_copy("xcode", url))
        }
        details { summary { "Eclipse" }
            p { "Preferences → General → Network Connections → Manual, and " code { "NODE_EXTRA_CA_CERTS" } ":" }
            (by_hand)
        }
        details { summary { "Zed" }
            p { "In its settings; the CA in the system's store:" }
            (to_copy("zed", &zed))
        }
    }
}
