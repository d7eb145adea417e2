//! Checks the health of the server on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use outbound::{AddressPolicy, Client, Request};

use crate::failure::Failure;
use crate::settings::Settings;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const OK: u16 = 200;

pub(crate) async fn run(settings: &Settings) -> Result<(), Failure> {
    let host = if settings.host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { settings.host };
    let url = format!("http://{}/health", SocketAddr::new(host, settings.port));
    let client = Client::new(AddressPolicy::endpoints()).map_err(Failure::error)?;
    let request = Request::get(&url).timeout(REQUEST_TIMEOUT);
    let answer = client.send(request).await.map_err(|error| Failure::errors(&url, [error]))?;
    let said = String::from_utf8_lossy(answer.body()).into_owned();
    if answer.status() == OK {
        super::print(&format!("{said}\n"))
    } else {
        Err(Failure::errors(&url, [said]))
    }
}
