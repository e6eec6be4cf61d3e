//! Entry points for fuzzing.

/// Whatever lies in a spool file, reading it ends and does not panic; what can be read of a prefix is a prefix.
pub fn fuzz_spool(data: &[u8]) {
    let recovered = super::spool::recover(data);
    if let Some(exchange) = &recovered {
        assert!(!exchange.complete);
        let _ = super::names::stem(exchange);
    }
    if let (Some(whole), Some(cut)) =
        (super::spool::read(data), super::spool::read(&data[..data.len() - data.len() / 3]))
    {
        assert!(whole.request.starts_with(&cut.request));
        assert!(whole.response.starts_with(&cut.response));
    }
}
