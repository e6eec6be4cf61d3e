//! Who may use the proxy: the users file, Basic credentials, and slowed failures.
