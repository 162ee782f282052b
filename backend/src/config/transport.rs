//! How clients reach the service: TLS, or plain HTTP where nobody else can listen.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// `[tls]`: four PEM files, read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The backend's certificate, and those between it and its authority.
    pub certificate_file: PathBuf,
    /// Its private key (PKCS #8), mode 600 or 400.
    pub key_file: PathBuf,
    /// Certificates of the authorities whose kiosks, stations and staff may connect.
    pub client_ca_file: PathBuf,
    /// Their lists of revoked certificates, one of each authority.
    pub client_crl_file: PathBuf,
}

/// Plain HTTP only where nobody else can listen, and only when asked for.
pub(crate) fn transport(listen: SocketAddr, plain: bool, tls: bool) -> Result<(), ConfigError> {
    match (plain, tls) {
        (false, true) => Ok(()),
        (true, false) if listen.ip().to_canonical().is_loopback() => Ok(()),
        (true, false) => Err(ConfigError::Exposed(listen)),
        (true, true) => Err(ConfigError::Both),
        (false, false) => Err(ConfigError::NoTls),
    }
}
