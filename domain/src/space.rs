//! What may vary: named dimensions, counted and indexed, never expanded.
//!
//! Dimensions that others are conditioned on are enumerated: each assignment of them opens a block of points, the
//! product of the dimensions that are active under it. Prefix sums over the blocks and a binary search find a point by
//! its number, so that a space of 10^12 points costs no more than one of ten.

mod check;
mod conditions;
mod levels;
mod point;
mod target;

use std::collections::{BTreeMap, BTreeSet};

pub use levels::Levels;
pub use point::Point;
pub use target::{Field, InvalidTarget, Parameter, Target};

use self::conditions::Conditions;
use crate::name::Name;
use crate::problem::Problem;
use crate::value::Value;

/// One thing that may vary.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// What templates, points and reports call it.
    pub name: Name,
    /// The field of a stage that it decides; where there is none it is a template variable only.
    pub target: Option<Target>,
    /// What it can be.
    pub levels: Levels,
    /// What templates see where it is inactive.
    pub default: Option<Value>,
    /// When it is active: for each dimension named here, one of these values. All must hold.
    pub when: BTreeMap<Name, Vec<Value>>,
}

/// How many points a space has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Size {
    /// So many.
    Points(u128),
    /// No end: this dimension has no steps.
    Continuous {
        /// The first such dimension.
        dimension: Name,
    },
    /// More than 2^128.
    TooMany,
}

/// Dimensions that make sense together.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// By name.
    dimensions: Vec<Dimension>,
    /// An order in which every dimension comes after those that it is conditioned on.
    order: Vec<usize>,
    /// Indices of the dimensions that others are conditioned on, by name.
    conditioning: Vec<usize>,
    conditions: Conditions,
    blocks: Vec<ConditionGroup>,
    size: Size,
}

/// The points that share an assignment of the conditioning dimensions.
#[derive(Debug, Clone, PartialEq)]
struct ConditionGroup {
    /// For each conditioning dimension the number of its level; `None` where it is inactive.
    assignment: Vec<Option<u64>>,
    /// How many points lie in this block and those before it.
    end: u128,
}

/// The most assignments of conditioning dimensions that are told apart.
pub const MAX_ASSIGNMENTS: usize = 100_000;
/// The most conditions that are looked at to count the points of all assignments.
const MAX_COUNTING_STEPS: usize = 10_000_000;

impl Space {
    /// Puts dimensions together.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its place below the parameter space (`/NAME/low`).
    pub fn try_new(mut dimensions: Vec<Dimension>) -> Result<Self, Vec<Problem>> {
        dimensions.sort_by(|a, b| a.name.cmp(&b.name));
        let order = check::check(&dimensions)?;
        let conditions = conditions::of(&dimensions);
        let conditioning: BTreeSet<usize> = conditions.iter().flatten().map(|(other, _)| *other).collect();
        let conditioning = conditioning.into_iter().collect();
        let (blocks, size) = (Vec::new(), Size::Points(1));
        let mut space = Self { dimensions, order, conditioning, conditions, blocks, size };
        let assignments = space.assignments()?;
        space.size = space.count(assignments);
        Ok(space)
    }

    /// The dimension with this name.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        find(&self.dimensions, name).map(|at| &self.dimensions[at])
    }

    /// The dimensions, by name.
    #[must_use]
    pub fn dimensions(&self) -> impl ExactSizeIterator<Item = &Dimension> {
        self.dimensions.iter()
    }

    /// How many points there are; one where there is no dimension.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size.clone()
    }

    /// The point with this number: conditioning dimensions vary slowest, by name, then the rest by name. `None` from the
    /// size on, and where the space is continuous.
    #[must_use]
    pub fn point(&self, index: u128) -> Option<Point> {
        let at = self.blocks.partition_point(|block| block.end <= index);
        let block = self.blocks.get(at)?;
        let start = if at == 0 { 0 } else { self.blocks[at - 1].end };
        let mut levels = self.assigned(&block.assignment);
        let mut rest = index - start;
        for dimension in self.rest(&levels).into_iter().rev() {
            let count = u128::from(self.dimensions[dimension].levels.count()?);
            levels[dimension] = u64::try_from(rest % count).ok();
            rest /= count;
        }
        Some(self.point_of(&levels))
    }

    /// The number of a point; `None` where it is none of this space's.
    #[must_use]
    pub fn index(&self, point: &Point) -> Option<u128> {
        let levels: Vec<Option<u64>> = self
            .dimensions
            .iter()
            .map(|dimension| {
                point.get(dimension.name.as_str()).and_then(|value| dimension.levels.number(value))
            })
            .collect();
        if self.point_of(&levels) != *point {
            return None;
        }
        let assignment: Vec<_> = self.conditioning.iter().map(|dimension| levels[*dimension]).collect();
        let at = self.blocks.binary_search_by(|block| block.assignment.cmp(&assignment)).ok()?;
        let mut index = 0;
        for dimension in self.rest(&self.assigned(&assignment)) {
            index = index * u128::from(self.dimensions[dimension].levels.count()?)
                + u128::from(levels[dimension]?);
        }
        Some(index + if at == 0 { 0 } else { self.blocks[at - 1].end })
    }

    /// The point at coordinates in `[0, 1)`, one for each dimension by name: uniform over levels and ranges, log-uniform
    /// where a range says so. Works for every space, continuous ones included.
    #[must_use]
    pub fn draw(&self, coordinate: impl Fn(usize) -> f64) -> Point {
        let mut point = Point::default();
        for &dimension in &self.order {
            let drawn = &self.dimensions[dimension];
            if active(drawn, |name| point.get(name)) {
                point.set(drawn.name.as_str(), drawn.levels.draw(coordinate(dimension)));
            }
        }
        point
    }

    /// Levels of the conditioning dimensions, spread over all dimensions.
    fn assigned(&self, assignment: &[Option<u64>]) -> Vec<Option<u64>> {
        let mut levels = vec![None; self.dimensions.len()];
        for (dimension, level) in self.conditioning.iter().zip(assignment) {
            levels[*dimension] = *level;
        }
        levels
    }

    /// The active dimensions that no other is conditioned on, by name.
    fn rest(&self, levels: &[Option<u64>]) -> Vec<usize> {
        let free = (0..self.dimensions.len()).filter(|dimension| !self.is_conditioning(*dimension));
        free.filter(|dimension| self.is_active(*dimension, levels)).collect()
    }

    fn is_conditioning(&self, dimension: usize) -> bool {
        self.conditioning.binary_search(&dimension).is_ok()
    }

    fn is_active(&self, dimension: usize, levels: &[Option<u64>]) -> bool {
        let mut conditions = self.conditions[dimension].iter();
        conditions
            .all(|(other, wanted)| levels[*other].is_some_and(|level| wanted.binary_search(&level).is_ok()))
    }

    fn point_of(&self, levels: &[Option<u64>]) -> Point {
        let mut point = Point::default();
        for (dimension, level) in self.dimensions.iter().zip(levels) {
            if let Some(value) = level.and_then(|level| dimension.levels.value(level)) {
                point.set(dimension.name.as_str(), value);
            }
        }
        point
    }

    /// Every assignment that can be, in the order of the conditioning dimensions' names.
    fn assignments(&self) -> Result<Vec<Vec<Option<u64>>>, Vec<Problem>> {
        let most = self.most_assignments();
        let mut assignments = vec![vec![None; self.conditioning.len()]];
        for &dimension in &self.order {
            let Ok(place) = self.conditioning.binary_search(&dimension) else { continue };
            let count = self.dimensions[dimension].levels.count().unwrap_or(0);
            let mut next = Vec::new();
            for assignment in assignments {
                if !self.is_active(dimension, &self.assigned(&assignment)) {
                    next.push(assignment);
                    continue;
                }
                if next.len() as u64 + count > most {
                    return Err(vec![check::too_many_assignments()]);
                }
                next.extend((0..count).map(|level| {
                    let mut assignment = assignment.clone();
                    assignment[place] = Some(level);
                    assignment
                }));
            }
            assignments = next;
        }
        assignments.sort_unstable();
        Ok(assignments)
    }

    /// How many assignments there may be, given what each of them costs.
    fn most_assignments(&self) -> u64 {
        let each = self.dimensions.len() + self.conditions.iter().map(Vec::len).sum::<usize>();
        MAX_ASSIGNMENTS.min(MAX_COUNTING_STEPS / each.max(1)) as u64
    }

    /// Counts the points of each assignment.
    fn count(&mut self, assignments: Vec<Vec<Option<u64>>>) -> Size {
        if let Some(endless) = self.dimensions.iter().find(|dimension| dimension.levels.count().is_none()) {
            return Size::Continuous { dimension: endless.name.clone() };
        }
        let mut end: u128 = 0;
        for assignment in assignments {
            let rest = self.rest(&self.assigned(&assignment));
            let counts = rest.into_iter().filter_map(|dimension| self.dimensions[dimension].levels.count());
            let points = counts.map(u128::from).try_fold(1_u128, u128::checked_mul);
            let Some(sum) = points.and_then(|points| end.checked_add(points)) else {
                self.blocks.clear();
                return Size::TooMany;
            };
            end = sum;
            self.blocks.push(ConditionGroup { assignment, end });
        }
        Size::Points(end)
    }
}

/// The index of the dimension with this name, among those sorted by name.
fn find(dimensions: &[Dimension], name: &str) -> Option<usize> {
    dimensions.binary_search_by(|dimension| dimension.name.as_str().cmp(name)).ok()
}

/// Whether a dimension's conditions hold.
fn active<'a>(dimension: &Dimension, value: impl Fn(&str) -> Option<&'a Value>) -> bool {
    let mut conditions = dimension.when.iter();
    conditions.all(|(name, values)| value(name.as_str()).is_some_and(|value| values.contains(value)))
}

#[cfg(test)]
mod tests;
