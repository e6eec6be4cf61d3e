//! Certificates and TLS configurations for both sides of an opened tunnel.
