//! Parameter spaces: named dimensions whose points are counted and indexed, but never listed.
//!
//! The dimensions that conditions refer to are enumerated: each assignment of values to them opens a block of points,
//! the product of the dimensions that are active under it. A point is found by its number with prefix sums over the
//! blocks and a binary search, so a space of 10^12 points costs no more than one of ten.

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

/// A dimension of a parameter space.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its name in templates, points and reports.
    pub name: Name,
    /// The field of a stage that it sets; without one it is only a template variable.
    pub target: Option<Target>,
    /// Its possible values.
    pub levels: Levels,
    /// What templates see while it is inactive.
    pub default: Option<Value>,
    /// The condition under which it is active: each dimension named here has one of these values.
    pub when: BTreeMap<Name, Vec<Value>>,
}

/// The number of points of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Size {
    /// This many.
    Points(u128),
    /// Infinitely many: this dimension has no steps.
    Continuous {
        /// The first such dimension.
        dimension: Name,
    },
    /// More than 2^128.
    TooMany,
}

/// A valid set of dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Sorted by name.
    dimensions: Vec<Dimension>,
    /// An order in which every dimension comes after those in its conditions.
    order: Vec<usize>,
    /// Indices of the dimensions that conditions refer to, sorted by name.
    conditioning: Vec<usize>,
    conditions: Conditions,
    blocks: Vec<ConditionGroup>,
    size: Size,
}

/// The points with the same assignment of values to the conditioning dimensions.
#[derive(Debug, Clone, PartialEq)]
struct ConditionGroup {
    /// For each conditioning dimension, the number of its level; `None` if it is inactive.
    assignment: Vec<Option<u64>>,
    /// The number of points in this block and those before it.
    end: u128,
}

/// The most assignments of conditioning dimensions.
pub const MAX_ASSIGNMENTS: usize = 100_000;
/// The most conditions that are evaluated to count the points of all assignments.
const MAX_COUNTING_STEPS: usize = 10_000_000;

impl Space {
    /// Creates a space.
    ///
    /// # Errors
    /// All problems, with their places in the parameter space (`/NAME/low`).
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

    /// The dimensions, sorted by name.
    #[must_use]
    pub fn dimensions(&self) -> impl ExactSizeIterator<Item = &Dimension> {
        self.dimensions.iter()
    }

    /// The number of points; 1 without dimensions.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size.clone()
    }

    /// The point with this number. Conditioning dimensions vary slowest, sorted by name, then the others, sorted by
    /// name. `None` from the size on, and for a continuous space.
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

    /// The number of a point; `None` if it is not in this space.
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

    /// The point at coordinates in `[0, 1)`, one for each dimension sorted by name: uniform over levels and ranges,
    /// or log-uniform for logarithmic ranges. Works for every space, even a continuous one.
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

    /// The levels of the conditioning dimensions, at their places among all dimensions.
    fn assigned(&self, assignment: &[Option<u64>]) -> Vec<Option<u64>> {
        let mut levels = vec![None; self.dimensions.len()];
        for (dimension, level) in self.conditioning.iter().zip(assignment) {
            levels[*dimension] = *level;
        }
        levels
    }

    /// The active dimensions that no condition refers to, sorted by name.
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

    /// Every possible assignment, in the order of the conditioning dimensions' names.
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

    /// The most assignments that are allowed, given the cost of each.
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

/// Whether a dimension's conditions are met.
fn active<'a>(dimension: &Dimension, value: impl Fn(&str) -> Option<&'a Value>) -> bool {
    let mut conditions = dimension.when.iter();
    conditions.all(|(name, values)| value(name.as_str()).is_some_and(|value| values.contains(value)))
}

#[cfg(test)]
mod tests;
