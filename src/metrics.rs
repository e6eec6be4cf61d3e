//! Counters of one running program: a value that is passed in, no globals.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// All counters, cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Counters>);

impl std::ops::Deref for Metrics {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.0
    }
}

type Count = Counter<u64, AtomicU64>;

macro_rules! counters {
    ($($(#[doc = $help:literal])+ $kind:ident $name:ident,)+) => {
        /// The counters by name; each is exported as `copilot_recorder_NAME`.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[doc = $help])+ pub $name: $kind,)+ }

        impl Counters {
            fn register(&self, registry: &mut Registry) {
                $(registry.register(stringify!($name), concat!($($help),+).trim_start(), self.$name.clone());)+
            }
        }
    };
}

counters! {
    /// CONNECT requests accepted
    Count tunnels_accepted,
    /// CONNECT requests refused by the policy
    Count tunnels_refused,
    /// CONNECT requests whose upstream could not be reached
    Count upstream_failures,
    /// CONNECT requests without valid credentials
    Count logins_failed,
    /// tunnels open now
    Gauge tunnels_open,
    /// tunnels that were opened (TLS terminated)
    Count tunnels_intercepted,
    /// tunnels relayed without being opened
    Count tunnels_opaque,
    /// bytes relayed from clients to upstreams
    Count bytes_client_to_server,
    /// bytes relayed from upstreams to clients
    Count bytes_server_to_client,
    /// exchanges seen in opened tunnels (a WebSocket is one, however many turns it has)
    Count exchanges_seen,
    /// exchanges of kinds that are not recorded
    Count exchanges_skipped,
    /// exchanges in flight now
    Gauge exchanges_in_flight,
    /// streams whose observation ended early because they could not be understood
    Count malformed,
    /// record files written
    Count records_written,
    /// records written without their bodies, because the disk was full or slow
    Count bodies_lost,
    /// records lost, because not even their metadata could be written or held
    Count records_lost,
    /// records that wait in memory, because not even their metadata can be written now
    Gauge records_held,
    /// records recovered from the spool at start
    Count records_recovered,
    /// bytes that wait in the writer's queue
    Gauge queue_bytes,
}

impl Metrics {
    /// The counters in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut registry = Registry::with_prefix("copilot_recorder");
        self.0.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a String does not fail");
        text
    }
}
