//! Compares with results of scipy and statsmodels.

use proptest::prelude::*;

use super::*;

const A: [f64; 12] = [0.82, 0.75, 0.91, 0.6, 0.88, 0.79, 0.95, 0.7, 0.84, 0.66, 0.9, 0.73];
const B: [f64; 12] = [0.78, 0.7, 0.92, 0.55, 0.8, 0.8, 0.89, 0.64, 0.85, 0.58, 0.86, 0.7];
const C: [f64; 12] = [0.8, 0.76, 0.88, 0.61, 0.83, 0.77, 0.93, 0.69, 0.8, 0.67, 0.88, 0.71];

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

fn diffs(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[test]
fn one_configuration_has_a_t_interval() {
    close(mean(&A).unwrap(), 0.794_166_666_666_666_8);
    close(standard_error(&A).unwrap(), 0.031_345_057_445_515_06);
    let interval = interval_of_mean(&A, 1).unwrap();
    close(interval.low, 0.725_176_660_386_868_7);
    close(interval.high, 0.863_156_672_946_464_9);
    assert_eq!(interval_of_mean(&[0.4], 1), None);
    assert_eq!(interval_of_mean(&[], 1), None);
}

#[test]
fn critical_values_are_those_of_the_tables() {
    for (freedom, t) in [
        (1.0, 12.706_204_736_174_694),
        (2.0, 4.302_652_729_749_462),
        (5.0, 2.570_581_835_636_314_6),
        (11.0, 2.200_985_160_091_639),
        (29.0, 2.045_229_642_132_703),
        (99.0, 1.984_216_951_586_417_4),
        (199.0, 1.971_956_544_251_753_3),
    ] {
        close(t_critical(freedom), t);
    }
}

#[test]
fn shares_have_a_wilson_interval() {
    for (successes, n, low, high) in [
        (17, 20, 0.639_581_135_259_243, 0.947_631_254_103_783_3),
        (5, 5, 0.565_517_535_216_825_2, 1.0),
        (0, 10, 0.0, 0.277_532_799_862_889_26),
        (850, 1000, 0.826_531_341_573_199_6, 0.870_789_927_486_911_8),
        (37, 60, 0.490_175_958_240_999_24, 0.729_117_276_259_179_8),
    ] {
        let interval = wilson(successes, n).unwrap();
        close(interval.low, low);
        close(interval.high, high);
    }
    let mut scores = vec![1.0; 17];
    scores.extend([0.0; 3]);
    assert_eq!(interval_of_mean(&scores, 1), wilson(17, 20));
    assert_ne!(interval_of_mean(&scores, 2), wilson(17, 20));
    assert_eq!(wilson(1, 0), None);
    assert_eq!(wilson(2, 1), None);
}

#[test]
fn repetitions_are_averaged_first() {
    let samples = [2.0 / 3.0, 1.0, 0.0, 1.0 / 3.0];
    close(mean(&samples).unwrap(), 0.499_999_999_999_999_94);
    close(standard_error(&samples).unwrap(), 0.215_165_741_455_967_6);
}

#[test]
fn two_configurations_are_compared_in_pairs() {
    let found = compare(&A, &B);
    close(found.diff, 0.038_333_333_333_333_32);
    let interval = found.interval.unwrap();
    close(interval.low, 0.017_552_791_169_083_23);
    close(interval.high, 0.059_113_875_497_583_415);
    close(found.p.unwrap(), 0.004_394_531_25);
    close(paired_t(&diffs(&A, &B)).unwrap(), 0.001_882_881_035_977_970_3);
    close(paired_t(&diffs(&A, &C)).unwrap(), 0.012_021_021_022_657_587);
    close(standard_error(&diffs(&A, &B)).unwrap(), 0.009_441_473_091_706_301);
}

#[test]
fn binary_scores_are_compared_by_what_differs() {
    close(mcnemar(9, 3), 0.145_996_093_75);
    close(mcnemar(3, 6), 0.507_812_5);
    close(mcnemar(0, 0), 1.0);
    let a = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0];
    let b = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    close(compare(&a, &b).p.unwrap(), mcnemar(5, 0));
}

#[test]
fn too_little_data_gives_no_p_value() {
    assert_eq!(compare(&A[..5], &B[..5]).p, None);
    assert_eq!(compare(&[0.5; 8], &[0.4; 8]).p, None);
    assert_eq!(compare(&[f64::NAN; 8], &[0.4; 8]).n, 0);
    let mut gaps = A;
    gaps[0] = f64::NAN;
    assert_eq!(compare(&gaps, &B).n, 11);
}

#[test]
fn many_comparisons_are_corrected() {
    let found = holm(&[0.001, 0.02, 0.03, 0.04, 0.6]);
    for (found, expected) in found.into_iter().zip([0.005, 0.08, 0.09, 0.09, 0.6]) {
        close(found, expected);
    }
    for (found, expected) in holm(&[0.001_882_881_035_977_970_3, 0.012_021_021_022_657_587])
        .into_iter()
        .zip([0.003_765_762_071_955_940_5, 0.012_021_021_022_657_587])
    {
        close(found, expected);
    }
    assert_eq!(holm(&[]), Vec::<f64>::new());
}

#[test]
fn the_best_is_probable() {
    let rows = [A.to_vec(), B.to_vec(), C.to_vec()];
    let found = probability_best(&rows, DRAWS, 7);
    for (found, expected) in found.iter().zip([0.999_43, 5e-6, 0.000_565]) {
        assert!((found - expected).abs() < 0.005, "{found} instead of {expected}");
    }
    assert_eq!(probability_best(&[A.to_vec(), A.to_vec()], 10, 7), [0.5, 0.5]);
}

#[test]
fn the_best_of_many_is_shrunk() {
    let found = shrunk(&[0.9, 0.5, 0.52, 0.48], &[0.1, 0.1, 0.1, 0.1]);
    assert!(found[0] < 0.9 && found[0] > 0.6, "{found:?}");
    assert_eq!(shrunk(&[0.9], &[0.1]), [0.9]);
    let same = shrunk(&[0.5, 0.52], &[0.3, 0.3]);
    close(same[0], same[1]);
}

proptest! {
    #[test]
    fn intervals_hold_their_mean(scores in proptest::collection::vec(0.0..=1.0_f64, 2..40)) {
        let (interval, mean) = (interval_of_mean(&scores, 1).unwrap(), mean(&scores).unwrap());
        prop_assert!(0.0 <= interval.low && interval.low <= mean && mean <= interval.high && interval.high <= 1.0);
    }

    #[test]
    fn a_comparison_is_antisymmetric(pairs in proptest::collection::vec((0..=4_u8, 0..=4_u8), 0..30)) {
        let a: Vec<f64> = pairs.iter().map(|(a, _)| f64::from(*a) / 4.0).collect();
        let b: Vec<f64> = pairs.iter().map(|(_, b)| f64::from(*b) / 4.0).collect();
        let (there, back) = (compare(&a, &b), compare(&b, &a));
        prop_assert!((there.diff + back.diff).abs() < 1e-12);
        prop_assert_eq!(there.p.is_some(), back.p.is_some());
        if let (Some(p), Some(q)) = (there.p, back.p) {
            prop_assert!((p - q).abs() < 1e-9 && (0.0..=1.0).contains(&p));
        }
    }

    #[test]
    fn corrected_probabilities_keep_their_order(p in proptest::collection::vec(0.0..=1.0_f64, 0..20)) {
        let adjusted = holm(&p);
        for (i, a) in p.iter().enumerate() {
            prop_assert!(adjusted[i] >= *a && adjusted[i] <= 1.0);
            for (j, b) in p.iter().enumerate() {
                prop_assert!(a > b || adjusted[i] <= adjusted[j]);
            }
        }
    }

    #[test]
    fn probabilities_of_being_best_add_up_to_1(rows in proptest::collection::vec(proptest::collection::vec(0.0..=1.0_f64, 5), 1..5)) {
        let total: f64 = probability_best(&rows, 50, 3).iter().sum();
        prop_assert!((total - 1.0).abs() < 1e-9);
    }
}
