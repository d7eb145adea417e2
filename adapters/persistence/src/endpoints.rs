//! Endpoints, with their keys sealed.

mod condition;
mod figures;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use application::ports::{Breaker, EndpointCondition, EndpointStore, ModelLists, StoreError};
use async_trait::async_trait;
use domain::endpoint::{Api, Auth, Endpoint, EndpointIdentity, EndpointKind, MaxTokensField};
use domain::id::EndpointId;
use domain::secret::Secret;
use domain::value::Value;
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};

use crate::columns::Columns;
use crate::dialect::{Session, corrupt, failed, id, json, maybe_whole, milliseconds, text, whole};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const COLUMNS: &str = "id, label, kind, url, api_key_cipher, prices, limits, max_tokens_field, max_output_tokens, \
     timeout_ms, headers_cipher, api, auth";

/// What a change leaves of the list of models: nothing once the URL is another.
const KEPT_MODELS: &str = "model_parameters = CASE WHEN endpoint.url = $4 THEN endpoint.model_parameters END";

/// Experiments whose stages name an endpoint, or whose dimensions have its label among their values.
const USERS: &str = "SELECT name FROM experiment WHERE CAST(pipeline_stages AS text) LIKE $1 ESCAPE '\\' \
     OR CAST(pipeline_stages AS text) LIKE $2 ESCAPE '\\' \
     OR (CAST(parameter_space AS text) LIKE '%.endpoint\"%' AND CAST(parameter_space AS text) LIKE $3 ESCAPE '\\') \
     ORDER BY id DESC LIMIT 5";

#[async_trait]
impl EndpointStore for Stores {
    async fn put(&self, endpoint: Endpoint) -> Result<Endpoint, StoreError> {
        let stores = self.clone();
        let stored = async move { Ok(stores.put_over(endpoint).await) };
        self.database.detached(stored).await.map_err(failed)?
    }

    async fn insert(&self, endpoint: Endpoint) -> Result<bool, StoreError> {
        let (insert, values) = self.columns(&endpoint)?.insert("endpoint");
        let sql = format!("{insert} ON CONFLICT (label) DO NOTHING");
        let inserted = self.database.write().execute(&sql, values).await.map_err(failed)?;
        Ok(inserted.rows_affected() > 0)
    }

    async fn replace(&self, endpoint: Endpoint) -> Result<Option<Endpoint>, StoreError> {
        let stores = self.clone();
        let stored = async move { Ok(stores.replace_over(endpoint).await) };
        self.database.detached(stored).await.map_err(failed)?
    }

    async fn remove(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM endpoint WHERE id = $1";
        let removed = self.database.write().execute(sql, vec![id(endpoint.bits())]).await.map_err(failed)?;
        Ok(removed.rows_affected() > 0)
    }

    async fn users_of(&self, label: &str) -> Result<Vec<String>, StoreError> {
        let label = Value::from(label).canonical();
        let escaped = label.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        // The databases write JSON with and without a blank behind the colon.
        let forms = [format!("%\"endpoint\":{escaped}%"), format!("%\"endpoint\": {escaped}%")];
        let mut values = forms.map(text).to_vec();
        values.push(text(format!("%{escaped}%")));
        let rows = self.database.read().all(USERS, values).await.map_err(failed)?;
        read_all(&rows, |row| row.text("name")).map_err(failed)
    }

    async fn all(&self) -> Result<Vec<Endpoint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM endpoint ORDER BY label");
        let rows = self.database.read().all(&sql, vec![]).await.map_err(failed)?;
        read_all(&rows, |row| self.endpoint_of(row)).map_err(failed)
    }

    async fn endpoint(&self, endpoint: EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM endpoint WHERE id = $1");
        self.first(&sql, id(endpoint.bits())).await
    }

    async fn conditions(&self, ids: &[EndpointId]) -> Result<Vec<EndpointCondition>, StoreError> {
        self.read_conditions(ids).await.map_err(failed)
    }

    async fn all_conditions(&self) -> Result<Vec<EndpointCondition>, StoreError> {
        self.read_all_conditions().await.map_err(failed)
    }

    async fn keep_model_list(
        &self,
        endpoint: EndpointId,
        models: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE endpoint SET model_parameters = $2 WHERE id = $1";
        let values = vec![id(endpoint.bits()), json(&figures::of_model_list(models))];
        self.database.write().execute(sql, values).await.map(drop).map_err(failed)
    }

    async fn model_lists(&self) -> Result<ModelLists, StoreError> {
        let sql = "SELECT id, model_parameters FROM endpoint WHERE model_parameters IS NOT NULL";
        let rows = self.database.read().all(sql, vec![]).await.map_err(failed)?;
        let list = |row: Row<'_>| {
            Ok((EndpointId::new(row.id("id")?), figures::model_list(&row.json("model_parameters")?)))
        };
        read_all(&rows, list).map(|lists| lists.into_iter().collect()).map_err(failed)
    }

    async fn back_off(&self, endpoint: EndpointId, wait: Duration) -> Result<(), StoreError> {
        let values = vec![id(endpoint.bits()), milliseconds(wait)];
        self.database.write().execute(condition::BACK_OFF, values).await.map(drop).map_err(failed)
    }

    async fn open_breaker(
        &self,
        endpoint: EndpointId,
        breaker: Breaker,
        closes_in: Option<Duration>,
    ) -> Result<(), StoreError> {
        let (kind, reason) = (text(breaker.kind.as_str()), text(breaker.reason));
        let closes_in = maybe_whole(closes_in.map(|wait| wait.as_millis()));
        let values = vec![id(endpoint.bits()), kind, reason, closes_in];
        self.database.write().execute(condition::OPEN_BREAKER, values).await.map(drop).map_err(failed)
    }

    async fn close_breaker(&self, endpoint: EndpointId) -> Result<(), StoreError> {
        let sql = format!("UPDATE endpoint SET {} WHERE id = $1", condition::CLOSED);
        self.database.write().execute(&sql, vec![id(endpoint.bits())]).await.map(drop).map_err(failed)
    }
}

impl Stores {
    /// Stores an endpoint over the one of its label. That one stays locked meanwhile: a key that it is given at the same
    /// time is neither lost nor taken for the other's.
    async fn put_over(&self, endpoint: Endpoint) -> Result<Endpoint, StoreError> {
        let transaction = self.database.writer.begin().await.map_err(failed)?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let stored = match self.locked(session, "label", text(endpoint.label.as_str())).await? {
            Some(known) => endpoint.in_place_of(known),
            None => endpoint,
        };
        let columns = self.columns(&stored)?;
        let others = columns.0.iter().map(|(name, _)| *name).filter(|name| !["id", "label"].contains(name));
        let excluded: Vec<_> = others.map(|name| format!("{name} = excluded.{name}")).collect();
        let (insert, values) = columns.insert("endpoint");
        let changes = excluded.join(", ");
        let sql = format!(
            "{insert} ON CONFLICT (label) DO UPDATE SET {changes}, {KEPT_MODELS}, {}",
            condition::CLOSED
        );
        session.execute(&sql, values).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(stored)
    }

    /// The same over the one of its id; `None` where there is none.
    async fn replace_over(&self, endpoint: Endpoint) -> Result<Option<Endpoint>, StoreError> {
        let transaction = self.database.writer.begin().await.map_err(failed)?;
        let session = Session { connection: &transaction, dialect: self.database.dialect() };
        let known = self.locked(session, "id", id(endpoint.id.bits())).await?;
        let Some(stored) = known.map(|known| endpoint.in_place_of(known)) else { return Ok(None) };
        let columns = self.columns(&stored)?;
        let (changes, closed) = (columns.assignments(1), condition::CLOSED);
        let sql = format!("UPDATE endpoint SET {changes}, {KEPT_MODELS}, {closed} WHERE id = $1");
        session.execute(&sql, columns.values([])).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(stored))
    }

    async fn locked<C: ConnectionTrait>(
        &self,
        session: Session<'_, C>,
        column: &str,
        value: Bound,
    ) -> Result<Option<Endpoint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM endpoint WHERE {column} = $1 {{for update}}");
        let row = session.one(&sql, vec![value]).await.map_err(failed)?;
        row.map(|row| self.endpoint_of(Row(&row))).transpose().map_err(failed)
    }

    async fn first(&self, sql: &str, value: Bound) -> Result<Option<Endpoint>, StoreError> {
        let row = self.database.read().one(sql, vec![value]).await.map_err(failed)?;
        row.map(|row| self.endpoint_of(Row(&row))).transpose().map_err(failed)
    }

    fn columns(&self, endpoint: &Endpoint) -> Result<Columns<13>, StoreError> {
        let seal = |secret: &Secret, field| {
            let sealed = self.vault.seal(secret, &context(endpoint.id, field));
            sealed.map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let key = endpoint.api_key.as_ref().map(|key| seal(key, "api_key")).transpose()?;
        let headers = endpoint.headers.as_ref().filter(|headers| !headers.is_empty());
        let headers = headers.map(|headers| seal(&written(headers), "headers")).transpose()?;
        Ok(Columns([
            ("id", id(endpoint.id.bits())),
            ("label", text(endpoint.label.as_str())),
            ("kind", text(endpoint.identity.kind.as_str())),
            ("url", text(endpoint.identity.url.as_str())),
            ("api_key_cipher", Bound::Bytes(key)),
            ("prices", json(&figures::of_prices(&endpoint.prices))),
            ("limits", json(&figures::of_limits(endpoint.limits))),
            ("max_tokens_field", text(field_name(endpoint.max_tokens_field))),
            ("max_output_tokens", maybe_whole(endpoint.max_output_tokens)),
            ("timeout_ms", whole(endpoint.timeout.as_millis())),
            ("headers_cipher", Bound::Bytes(headers)),
            ("api", text(endpoint.api.as_str())),
            ("auth", text(endpoint.auth.as_str())),
        ]))
    }

    fn endpoint_of(&self, row: Row<'_>) -> Result<Endpoint, DbErr> {
        let endpoint = EndpointId::new(row.id("id")?);
        let kind = EndpointKind::parse(&row.text("kind")?).ok_or_else(|| corrupt("endpoint kind"))?;
        let open = |column, field| {
            let sealed = row.maybe_bytes(column)?;
            let opened = sealed.map(|sealed| self.vault.open(&sealed, &context(endpoint, field)));
            opened.transpose().map_err(corrupt)
        };
        let auth = row.maybe_text("auth")?.and_then(|word| Auth::parse(&word));
        let max_output = row.maybe_whole("max_output_tokens")?;
        Ok(Endpoint {
            id: endpoint,
            label: row.text("label")?,
            identity: EndpointIdentity { kind, url: row.text("url")? },
            api: Api::parse(&row.text("api")?).unwrap_or_default(),
            auth: auth.unwrap_or(Auth::usual(kind)),
            api_key: open("api_key_cipher", "api_key")?,
            headers: open("headers_cipher", "headers")?.map(|headers| read_headers(&headers)).transpose()?,
            prices: figures::prices(&row.json("prices")?),
            limits: figures::limits(&row.json("limits")?),
            max_tokens_field: read_field(&row.text("max_tokens_field")?),
            max_output_tokens: max_output.and_then(|tokens| u32::try_from(tokens).ok()),
            timeout: Duration::from_millis(row.count("timeout_ms")?),
        })
    }
}

/// What a sealed secret is bound to.
fn context(endpoint: EndpointId, field: &str) -> String {
    format!("endpoint/{endpoint}/{field}")
}

fn written(headers: &BTreeMap<String, Secret>) -> Secret {
    let values = headers.iter().map(|(name, value)| (name.clone(), Value::from(value.expose())));
    Secret::new(Value::Map(values.collect()).canonical())
}

fn read_headers(headers: &Secret) -> Result<BTreeMap<String, Secret>, DbErr> {
    let read: BTreeMap<String, String> =
        serde_json::from_str(headers.expose()).map_err(|_| corrupt("headers"))?;
    Ok(read.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}

const fn field_name(field: MaxTokensField) -> &'static str {
    match field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    }
}

fn read_field(name: &str) -> MaxTokensField {
    if name == field_name(MaxTokensField::MaxCompletionTokens) {
        MaxTokensField::MaxCompletionTokens
    } else {
        MaxTokensField::MaxTokens
    }
}
