//! What the drivers say of a site's points before anything is opened; with `edgeway check --plan`, how busy every wire will be.

use crate::client::table::{Cell, Colours, Tone, layout};
use crate::links::{Load, REASONS};
use crate::program::Program;
use edgeway_sdk::options::duration::show;
use edgeway_sdk::{DeviceIx, Driver, Fault, Json, Problem, Split};
use edgeway_site::{Finding, LinkSite, Site};
use serde_json::json;
use std::time::Duration;

/// What a wire will have to do.
pub(super) struct Wire {
    link: String,
    load: Load,
    /// Points that the driver cannot read, each with a reason.
    rejected: Vec<(String, String)>,
}

/// Plans every link, without opening any. A device takes so long to answer, beside what its bytes take.
///
/// # Errors
/// The name of a link whose driver refuses it, and why.
pub(super) async fn plan(program: &Program, answer_time: Duration) -> Result<Vec<Wire>, (String, Fault)> {
    let mut wires = vec![];
    let running = program.drivers.running(|_| true).await;
    let _running = running.map_err(|fault| ("of a process".to_owned(), fault))?;
    for site in &program.site.links {
        let wire = plan_one(program, site, answer_time).await;
        wires.push(wire.map_err(|fault| (site.name.to_string(), fault))?);
    }
    Ok(wires)
}

/// What drivers of this program find out about points only when they see all of a link. Nothing is opened, and no process asked.
pub(super) async fn warnings(program: &Program) -> Vec<Finding> {
    let mut findings = vec![];
    for site in &program.site.links {
        let name = &program.drivers.all[site.driver].manifest().name;
        if program.drivers.processes.iter().any(|process| process.manifest().name == *name) {
            continue;
        }
        let rejected = plan_one(program, site, Duration::ZERO).await.map(|wire| wire.rejected).unwrap_or_default();
        findings.extend(rejected.into_iter().map(|(point, reason)| {
            Finding::of("devices", Problem::new(format!("{point} cannot be used: {reason}")).warning())
        }));
    }
    findings
}

async fn plan_one(program: &Program, site: &LinkSite, answer_time: Duration) -> Result<Wire, Fault> {
    let link = program.drivers.all[site.driver].open(site.options.clone())?;
    let plan = link.plan(&site.devices, &site.points, Split::Nothing).await?;
    let load = Load::of(&plan.steps, |step| step.wire_time + answer_time, plan.concurrency.into());
    let rejected = plan
        .rejected
        .into_iter()
        .map(|(point, reason)| (program.site.points[point.0 as usize].name(&program.site.things), reason));
    Ok(Wire { link: site.name.to_string(), load, rejected: rejected.collect() })
}

impl Wire {
    /// Whether all of it can be done.
    pub(super) fn is_right(&self) -> bool {
        self.load.fits() && self.rejected.is_empty()
    }

    pub(super) fn text(&self, site: &Site, colours: Colours) -> String {
        let Wire { link, load, rejected } = self;
        let verdict = if load.fits() { "" } else { ": too much" };
        let mut text = format!("link {link}: its wire is {} busy{verdict}\n", percent(load.share));
        let rows: Vec<Vec<Cell>> = load.groups.iter().take(REASONS).map(|group| self.row(group, site)).collect();
        if !rows.is_empty() {
            text += &layout(&["share", "device", "every", "requests", "points", "takes"], &rows, colours);
        }
        match load.groups.len().saturating_sub(REASONS) {
            0 => {}
            more => text += &format!("and {more} more\n"),
        }
        if !load.fits() {
            text += &remedy(load, site);
        }
        for (point, reason) in rejected {
            text += &format!("{point} cannot be used: {reason}\n");
        }
        text
    }

    fn row(&self, group: &crate::links::Group, site: &Site) -> Vec<Cell> {
        let tone = if self.load.fits() { Tone::Plain } else { Tone::Doubtful };
        vec![
            Cell::number(percent(group.share)).tone(tone),
            Cell::text(name(site, group.device)),
            Cell::text(show(group.period)),
            Cell::number(group.steps),
            Cell::number(group.points),
            Cell::text(show(rounded(group.time))),
        ]
    }

    pub(super) fn json(&self, site: &Site) -> Json {
        let group = |group: &crate::links::Group| {
            json!({
                "device": name(site, group.device),
                "every_seconds": group.period.as_secs_f64(),
                "requests": group.steps,
                "points": group.points,
                "takes_seconds": group.time.as_secs_f64(),
                "share": group.share,
            })
        };
        let rejected = |(point, reason): &(String, String)| json!({ "point": point, "reason": reason });
        json!({
            "link": self.link,
            "share": self.load.share,
            "fits": self.load.fits(),
            "groups": self.load.groups.iter().map(group).collect::<Json>(),
            "rejected": self.rejected.iter().map(rejected).collect::<Json>(),
        })
    }
}

fn remedy(load: &Load, site: &Site) -> String {
    let Some((changes, left)) = load.remedy() else {
        let factor = (load.share / 0.8).ceil();
        return format!(
            "no small change helps: read all of it {factor} times less often, or divide it over more wires\n"
        );
    };
    let one = |change: &crate::links::Slower| {
        format!("{} every {} instead of {}", name(site, change.device), show(change.to), show(change.from))
    };
    let changes: Vec<String> = changes.iter().map(one).collect();
    format!("it would fit with {} ({})\n", changes.join(", "), percent(left))
}

fn name(site: &Site, device: DeviceIx) -> String {
    site.things.device(device).id.to_string()
}

fn percent(share: f64) -> String {
    // An empty sum is -0.
    format!("{:.0} %", share.abs() * 100.0)
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(time.as_micros().div_ceil(1000) as u64)
}
