//! Tests the allowed dependencies between crates.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Crates that only compute, which the application may use.
const COMPUTING: [&str; 15] = [
    "async-trait",
    "thiserror",
    "serde",
    "serde_json",
    "sha2",
    "jsonschema",
    "regex",
    "csv",
    "caseless",
    "unicode-normalization",
    "unicode-properties",
    "unicode-segmentation",
    "serde-saphyr",
    "roxmltree",
    "futures",
];

fn workspace() -> Vec<Package> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata.packages
}

fn normal(package: &Package) -> BTreeSet<&str> {
    let dependencies =
        package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    dependencies.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn the_domain_depends_on_nothing() {
    let packages = workspace();
    let domain = packages.iter().find(|package| package.name.as_str() == "promptlooper-domain").unwrap();
    assert_eq!(normal(domain), BTreeSet::new());
}

#[test]
fn the_application_depends_on_the_domain_and_what_only_computes() {
    let packages = workspace();
    let application =
        packages.iter().find(|package| package.name.as_str() == "promptlooper-application").unwrap();
    let mut allowed: BTreeSet<&str> = COMPUTING.into_iter().collect();
    allowed.extend(["promptlooper-domain", "tracing"]);
    let more: Vec<_> = normal(application).difference(&allowed).copied().collect();
    assert_eq!(more, Vec::<&str>::new(), "the application depends on a technology");
}

#[test]
fn no_adapter_depends_on_another() {
    let shared =
        ["promptlooper-domain", "promptlooper-application", "promptlooper-wire", "promptlooper-outbound"];
    let vocabulary = BTreeMap::from([("promptlooper-wire", 2), ("promptlooper-outbound", 2)]);
    let packages = workspace();
    let adapters = packages.iter().filter(|package| package.manifest_path.as_str().contains("/adapters/"));
    for adapter in adapters {
        let known = vocabulary.get(adapter.name.as_str()).copied().unwrap_or(shared.len());
        let mut allowed: BTreeSet<&str> = shared[..known].iter().copied().collect();
        if adapter.name.as_str() == "promptlooper-persistence" {
            allowed.insert("promptlooper-migrations");
        }
        let ours = normal(adapter).into_iter().filter(|name| name.starts_with("promptlooper"));
        let more: Vec<_> = ours.filter(|name| !allowed.contains(name)).collect();
        assert_eq!(more, Vec::<&str>::new(), "{} depends on another adapter", adapter.name);
    }
}

#[test]
fn migrations_depend_on_no_crate_of_ours() {
    let packages = workspace();
    let migrations =
        packages.iter().find(|package| package.name.as_str() == "promptlooper-migrations").unwrap();
    assert!(normal(migrations).iter().all(|name| !name.starts_with("promptlooper")));
}

#[test]
fn every_dependency_stands_in_the_workspace_with_a_reason() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let manifest = std::fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).unwrap();
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let (table, _) = table.split_once("\n[").unwrap();
    let lines: Vec<&str> = table.lines().collect();
    for (i, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
        let ours = line.contains("path = ");
        assert!(ours || lines[i - 1].starts_with("# "), "no reason above `{line}`");
    }
    let known: BTreeSet<&str> = lines.iter().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|d| !d.name.starts_with("promptlooper")) {
            assert!(
                known.contains(dependency.name.as_str()),
                "{} uses {} by itself",
                package.name,
                dependency.name
            );
        }
    }
}
