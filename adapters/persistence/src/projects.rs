//! Projects and their exports.

use application::ports::{
    Deletion, ExperimentSummary, ExportRecord, NewProject, ProjectStore, StoreError, StoredProject,
};
use async_trait::async_trait;
use domain::id::{ExperimentId, ExportId, ProjectId, RunId, UserId};
use sea_orm::{DbErr, Value as Bound};

use crate::columns::Columns;
use crate::dialect::{Dialect, corrupt, failed, id, maybe_id, maybe_text, text, whole};
use crate::experiments::{SUMMARY, summary};
use crate::open::Stores;
use crate::rows::{Row, read_all};

const NAMED: &str = "INSERT INTO project (id, name, description, owner_id) \
     SELECT $1, CAST($2 AS text), $3, $4 WHERE NOT EXISTS (SELECT 1 FROM project WHERE name = $2)";

const INSERT: &str = "INSERT INTO project (id, name, description, owner_id) VALUES ($1, $2, $3, $4)";

const UPDATE: &str = "UPDATE project SET name = $2, description = $3, updated_at = {now} WHERE id = $1";

const DELETE: &str = "DELETE FROM project WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM experiment e \
     JOIN sweep s ON s.experiment_id = e.id WHERE e.project_id = $1 AND s.status IN ('running', 'paused'))";

const COLUMNS: &str = "id, name, description, owner_id, created_at, updated_at";

#[async_trait]
impl ProjectStore for Stores {
    async fn insert_project(&self, project: NewProject) -> Result<(), StoreError> {
        self.database.write().execute(INSERT, values(project)).await.map(drop).map_err(failed)
    }

    async fn project_named(&self, new: NewProject) -> Result<ProjectId, StoreError> {
        let (fresh, name) = (new.id, new.name.clone());
        let write = self.database.write();
        write.execute(NAMED, values(new)).await.map_err(failed)?;
        let sql = "SELECT id FROM project WHERE name = $1 ORDER BY created_at, id LIMIT 1";
        let row = write.one(sql, vec![text(name)]).await.map_err(failed)?;
        row.map_or(Ok(fresh), |row| Row(&row).id("id").map(ProjectId::new).map_err(failed))
    }

    async fn update_project(&self, project: NewProject) -> Result<bool, StoreError> {
        let values = vec![id(project.id.bits()), text(project.name), maybe_text(project.description)];
        let updated = self.database.write().execute(UPDATE, values).await.map_err(failed)?;
        Ok(updated.rows_affected() > 0)
    }

    async fn delete_project(&self, project: ProjectId) -> Result<Deletion, StoreError> {
        let there = "SELECT 1 AS there FROM project WHERE id = $1";
        self.delete(DELETE, there, project.bits()).await
    }

    async fn stored_project(&self, project: ProjectId) -> Result<Option<StoredProject>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM project WHERE id = $1");
        let row = self.database.read().one(&sql, vec![id(project.bits())]).await.map_err(failed)?;
        row.map(|row| stored(Row(&row), self.database.dialect())).transpose().map_err(failed)
    }

    async fn projects(
        &self,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Vec<StoredProject>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM project WHERE id < $1 ORDER BY id DESC LIMIT $2");
        let values = vec![id(before.map_or(u128::MAX, ProjectId::bits)), whole(limit as u64)];
        let rows = self.database.read().all(&sql, values).await.map_err(failed)?;
        read_all(&rows, |row| stored(row, self.database.dialect())).map_err(failed)
    }

    async fn contents(
        &self,
        project: ProjectId,
        limit: usize,
    ) -> Result<(Vec<ExperimentSummary>, u64), StoreError> {
        let read = self.database.read();
        let sql =
            format!("SELECT {SUMMARY} FROM experiment e WHERE e.project_id = $1 ORDER BY e.id DESC LIMIT $2");
        let values = vec![id(project.bits()), whole(limit as u64)];
        let rows = read.all(&sql, values).await.map_err(failed)?;
        let newest = read_all(&rows, |row| summary(row, self.database.dialect())).map_err(failed)?;
        let sql = "SELECT count(*) AS n FROM experiment WHERE project_id = $1";
        let count = read.one(sql, vec![id(project.bits())]).await.map_err(failed)?;
        let count = count.map_or(Ok(0), |row| Row(&row).count("n")).map_err(failed)?;
        Ok((newest, count))
    }

    async fn record_export(&self, project: ProjectId, export: ExportRecord) -> Result<(), StoreError> {
        let columns = Columns([
            ("id", id(export.id.bits())),
            ("project_id", id(project.bits())),
            ("experiment_id", id(export.experiment.bits())),
            ("run_id", maybe_id(export.run.map(RunId::bits))),
            ("format", text(export.format)),
            ("by_whom", text(export.by)),
        ]);
        let (sql, values) = columns.insert("export_history");
        self.database.write().execute(&sql, values).await.map(drop).map_err(failed)
    }

    async fn exports(
        &self,
        project: ProjectId,
        before: Option<ExportId>,
        limit: usize,
    ) -> Result<Vec<ExportRecord>, StoreError> {
        let sql = "SELECT id, experiment_id, run_id, format, by_whom, at FROM export_history \
                   WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let before = id(before.map_or(u128::MAX, ExportId::bits));
        let values = vec![id(project.bits()), before, whole(limit as u64)];
        let rows = self.database.read().all(sql, values).await.map_err(failed)?;
        read_all(&rows, |row| export(row, self.database.dialect())).map_err(failed)
    }
}

impl Stores {
    /// Deletes by a statement that does nothing for rows in use. If nothing was deleted, a query finds out whether
    /// the row exists.
    pub(crate) async fn delete(&self, delete: &str, there: &str, of: u128) -> Result<Deletion, StoreError> {
        let write = self.database.write();
        if write.execute(delete, vec![id(of)]).await.map_err(failed)?.rows_affected() > 0 {
            return Ok(Deletion::Deleted);
        }
        let there = write.one(there, vec![id(of)]).await.map_err(failed)?;
        Ok(if there.is_some() { Deletion::InUse } else { Deletion::Missing })
    }
}

fn values(project: NewProject) -> Vec<Bound> {
    vec![
        id(project.id.bits()),
        text(project.name),
        maybe_text(project.description),
        maybe_id(project.owner.map(UserId::bits)),
    ]
}

fn stored(row: Row<'_>, dialect: Dialect) -> Result<StoredProject, DbErr> {
    let time = |column| dialect.read_time(row.0, column)?.ok_or_else(|| corrupt(column));
    Ok(StoredProject {
        id: ProjectId::new(row.id("id")?),
        name: row.text("name")?,
        description: row.maybe_text("description")?,
        owner: row.maybe_id("owner_id")?.map(UserId::new),
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
    })
}

fn export(row: Row<'_>, dialect: Dialect) -> Result<ExportRecord, DbErr> {
    Ok(ExportRecord {
        id: ExportId::new(row.id("id")?),
        experiment: ExperimentId::new(row.id("experiment_id")?),
        run: row.maybe_id("run_id")?.map(RunId::new),
        format: row.text("format")?,
        by: row.text("by_whom")?,
        at: dialect.read_time(row.0, "at")?.ok_or_else(|| corrupt("at"))?,
    })
}
