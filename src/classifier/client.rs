//! Which editor, plugin and machine a request came from, as its head says.
//!
//! JetBrains, Visual Studio, Neovim and others send the same fields as VS Code, under the same names.

use std::borrow::Cow;

use crate::observer::RequestHead;

/// `Editor-Version`: `vscode/1.95.3`, `JetBrains-PC/243…`. Telemetry has none.
#[must_use]
pub fn editor_version(head: &RequestHead) -> Option<Cow<'_, str>> {
    field(head, "editor-version")
}

/// `Editor-Plugin-Version`: `copilot/1.248.0`, `copilot-chat/…`, `copilot-intellij/…`.
#[must_use]
pub fn plugin_version(head: &RequestHead) -> Option<Cow<'_, str>> {
    field(head, "editor-plugin-version")
}

/// `VScode-MachineId`, usually 64 hexadecimal digits. Telemetry has none.
#[must_use]
pub fn machine_id(head: &RequestHead) -> Option<Cow<'_, str>> {
    field(head, "vscode-machineid")
}

fn field<'a>(head: &'a RequestHead, name: &str) -> Option<Cow<'a, str>> {
    head.fields.first(name).map(<[u8]>::trim_ascii).filter(|value| !value.is_empty()).map(String::from_utf8_lossy)
}
