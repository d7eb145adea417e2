use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let get = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    Settings::read(&get).map_err(|error| error.to_string())
}

#[test]
fn what_is_not_set_has_a_default() {
    let settings = read(&[("DATA_DIR", "/tmp/x")]).unwrap();
    assert_eq!((settings.concurrent_runs, settings.max_tokens_per_sweep), (4, None));
    assert_eq!((settings.log.as_str(), settings.log_as_json), (DEFAULT_LOG, false));
    assert!(settings.database_url.is_none() && settings.default_endpoint.is_none());
}

#[test]
fn a_bad_value_is_named_with_what_it_takes() {
    for (name, held, error) in [
        (
            "MAX_CONCURRENT_RUNS",
            "0",
            "MAX_CONCURRENT_RUNS holds `0`, but takes a whole number from 1 to 1024",
        ),
        ("MAX_TOKENS_PER_SWEEP", "-1", "MAX_TOKENS_PER_SWEEP holds `-1`, but takes a whole number from 0 up"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT holds `xml`, but takes text or json"),
        ("LOG", "a=b=c", "LOG holds `a=b=c`, but takes a level"),
        (
            "DEFAULT_ENDPOINT_URL",
            "localhost:8000",
            "DEFAULT_ENDPOINT_URL holds `localhost:8000`, but takes the base",
        ),
        ("DEFAULT_ENDPOINT_KEY", "sk-secret", "DEFAULT_ENDPOINT_KEY takes the key of the endpoint"),
        ("DATABASE_URL", "mysql://u:secret@h/n", "DATABASE_URL takes a PostgreSQL URL"),
        ("HOST", "localhost", "HOST holds `localhost`, but takes the IP address"),
        ("PORT", "70000", "PORT holds `70000`, but takes a whole number from 0 to 65535"),
        ("PUBLIC_URL", "loop.example.org", "PUBLIC_URL holds `loop.example.org`, but takes the URL"),
        ("API_KEY", "sk-secret", "API_KEY takes at least 16 characters"),
        ("API_KEY", "sk-secret of many words", "API_KEY takes letters, digits and signs of ASCII"),
        ("JWT_SECRET", "sk-secret", "JWT_SECRET takes at least 16 characters"),
        (
            "OUTBOUND_ALLOW",
            "10.0.0.0/8, http://a",
            "OUTBOUND_ALLOW holds `10.0.0.0/8, http://a`, but takes host names, *.SUFFIX, IP addresses and networks",
        ),
    ] {
        let found = read(&[(name, held)]).unwrap_err();
        assert!(found.starts_with(error), "{found}");
        assert!(!found.contains("secret"), "{found}");
    }
}

#[test]
fn an_origin_is_a_url_without_its_path() {
    let origin = |url| read(&[("PUBLIC_URL", url)]).unwrap().public_origin.unwrap();
    assert_eq!(origin("https://loop.example.org/"), "https://loop.example.org");
    assert_eq!(origin("http://10.0.0.1:8080/tools/loop"), "http://10.0.0.1:8080");
}

#[test]
fn the_volume_is_used_where_it_is_there() {
    let volume = std::env::temp_dir();
    assert_eq!(standard_data_dir(&volume), volume);
    assert_ne!(standard_data_dir(Path::new("/nowhere")), Path::new("/nowhere"));
}
