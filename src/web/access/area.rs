//! Which part of the page an address belongs to.

use super::Area;

/// The area of a path. What is not named here counts as contents, so that a page that somebody adds and forgets here is
/// closed to who may see no records.
pub(super) fn area_of(path: &str) -> Area {
    // What a machine needs before anybody can log in from it: the proxy hands the same out to everybody.
    if matches!(path, "/setup/check.sh" | "/setup/ca.pem" | "/setup/ca.cer") {
        return Area::Open;
    }
    let mut parts = path.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let name = if first == "api" { parts.nth(1).unwrap_or_default() } else { first };
    match name {
        "assets" | "login" if first != "api" => Area::Open,
        "" | "logout" if first != "api" => Area::Account,
        "live" => Area::Live,
        "exchanges" if parts.next().is_none_or(str::is_empty) => Area::Exchanges,
        "figures" | "figures.csv" | "stats" => Area::Figures,
        "coverage" => Area::Coverage,
        "setup" => Area::Setup,
        "health" => Area::Health,
        "" | "openapi.json" | "session" if first == "api" => Area::Api,
        _ => Area::Contents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_their_counterparts_in_the_api_are_of_one_area() {
        for (path, area) in [
            ("/", Area::Account),
            ("/login", Area::Open),
            ("/logout", Area::Account),
            ("/assets/style.css", Area::Open),
            ("/setup", Area::Setup),
            ("/setup/seen", Area::Setup),
            ("/setup/check.sh", Area::Open),
            ("/setup/ca.pem", Area::Open),
            ("/setup/check.sh/", Area::Setup),
            ("/live", Area::Live),
            ("/live/events", Area::Live),
            ("/exchanges", Area::Exchanges),
            ("/exchanges/", Area::Exchanges),
            ("/exchanges/0189/body", Area::Contents),
            ("/exchange/0189", Area::Contents),
            ("/figures.csv", Area::Figures),
            ("/exchanges.csv", Area::Contents),
            ("/session", Area::Contents),
            ("/api/v1/session", Area::Api),
            ("/figures/csv", Area::Figures),
            ("/health", Area::Health),
            ("//health", Area::Account),
            ("/Health", Area::Contents),
            ("/api", Area::Api),
            ("/api/", Area::Api),
            ("/api/v1", Area::Api),
            ("/api/v1/openapi.json", Area::Api),
            ("/api/v1/exchanges", Area::Exchanges),
            ("/api/v1/exchanges/0189", Area::Contents),
            ("/api/v1/figures", Area::Figures),
            ("/api/v1/health", Area::Health),
            ("/api/v1/assets", Area::Contents),
            ("/api/v1/login", Area::Contents),
            ("/nothing", Area::Contents),
            ("", Area::Account),
        ] {
            assert_eq!(area_of(path), area, "{path}");
        }
    }
}
