//! Rates of samples small enough to be counted by hand.

use super::*;

fn sample(genuine: &[f32], impostor: &[f32]) -> Sorted {
    let own = genuine.iter().map(|&score| (score, 0));
    let strange = impostor.iter().map(|&score| (score, 1));
    let pair = |(score, b)| Pair { score, a: 0, b };
    Sorted::new(own.chain(strange).map(pair).collect())
}

#[test]
fn apart_means_no_error() {
    let figures = sample(&[3.0, 4.0], &[1.0, 2.0]).figures().unwrap();
    assert_eq!((figures.eer, figures.fnmr), (0.0, [0.0; 3]));
    assert_eq!(figures.threshold, [3.0; 3]);
}

#[test]
fn the_equal_error_rate_is_the_smaller_mean_around_the_crossing() {
    // At 4: FMR 1/3 (6), FNMR 1/4 (3). At 5: FMR 1/3, FNMR 2/4. The crossing is between them, and
    // the mean at 4 (7/24) is smaller than at 5 (10/24).
    let figures = sample(&[3.0, 4.0, 5.0, 7.0], &[1.0, 2.0, 6.0]).figures();
    let eer = figures.unwrap().eer;
    assert!((eer - 7.0 / 24.0).abs() < 1e-12, "{eer}");
}

#[test]
fn the_rates_meet_exactly_where_both_are_a_half() {
    // At 2: FMR 1/2, FNMR 1/2, although the mean at 1 (1/2 and 0) is smaller.
    let figures = sample(&[1.0, 3.0], &[0.0, 2.0]).figures().unwrap();
    assert!((figures.eer - 0.5).abs() < 1e-12);
}

#[test]
fn a_score_on_the_threshold_is_a_match() {
    let curve = sample(&[1.0, 2.0], &[1.0, 2.0]).curve();
    let rates: Vec<(f64, f64)> = curve.iter().map(|p| (p.fmr, p.fnmr)).collect();
    assert_eq!(rates, [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)]);
}

#[test]
fn the_non_match_rate_is_taken_at_the_lowest_threshold_that_is_strict_enough() {
    // 1,000 strangers at 0..=999. One of them may reach the threshold at FMR 0.1 %, ten at 1 %,
    // none at 0.01 %. The lowest observed scores that let so few through are 990 (ten strangers),
    // 998.5 (one) and 2000 (none); below them are one, two and three of the four genuine scores.
    let impostor: Vec<f32> = (0..1000_u16).map(f32::from).collect();
    let genuine = [989.0, 990.0, 998.5, 2000.0];
    let figures = sample(&genuine, &impostor).figures().unwrap();
    assert_eq!(figures.threshold, [990.0, 998.5, 2000.0]);
    assert_eq!(figures.fnmr, [0.25, 0.5, 0.75]);
}

#[test]
fn with_a_stranger_above_everybody_no_threshold_is_strict_enough() {
    let figures = sample(&[1.0, 2.0], &[0.0, 3.0]).figures().unwrap();
    assert_eq!(figures.fnmr, [1.0; 3]);
    assert!(figures.threshold.iter().all(|t| t.is_infinite()));
}

#[test]
fn one_kind_of_pairs_gives_no_figures() {
    assert!(sample(&[1.0], &[]).figures().is_none());
    assert!(sample(&[], &[1.0]).figures().is_none());
    let one_set = Vec::from([Range { start: 0, end: 2 }]);
    let bootstrap = Bootstrap::new(one_set, 10);
    assert!(bootstrap.figures(&sample(&[1.0], &[])).is_none());
}

#[test]
fn the_false_match_rate_counts_scores_at_or_above_the_threshold() {
    let sorted = sample(&[9.0], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(sorted.fmr_at(&[0.0, 2.0, 2.5, 4.5]), [1.0, 0.75, 0.5, 0.0]);
}

#[test]
fn a_finger_drawn_twice_counts_twice_and_never_against_itself() {
    let drawn = [2, 3, 0];
    let weight = |a, b| times(&Pair { score: 0.0, a, b }, &drawn);
    assert_eq!((weight(0, 0), weight(1, 1), weight(2, 2)), (2, 3, 0));
    assert_eq!((weight(0, 1), weight(0, 2)), (6, 0));
}

#[test]
fn every_round_draws_as_many_fingers_as_each_set_has() {
    let bootstrap = Bootstrap::new(vec![0..3, 3..7], 50);
    let mut first = 0;
    for drawn in bootstrap.draws() {
        assert_eq!(drawn[..3].iter().sum::<u64>(), 3);
        assert_eq!(drawn[3..].iter().sum::<u64>(), 4);
        first += drawn[0];
    }
    assert!((30..=70).contains(&first), "{first} of 50 expected");
}

#[test]
fn the_interval_holds_the_middle_95_percent_of_the_rounds() {
    let values: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
    assert_eq!(interval(values), Some((25.0, 975.0)));
    assert_eq!(interval(Vec::new()), None);
}

#[test]
fn the_interval_reflects_that_one_bad_finger_may_be_drawn_or_not() {
    // Nine fingers never fail, one always does: FNMR 10 %, but a draw holds it 0 to 3 times.
    let mut pairs = Vec::new();
    for a in 0..10 {
        let score = if a == 9 { 0.0 } else { 2.0 };
        pairs.push(Pair { score, a, b: a });
        pairs.extend((a + 1..10).map(|b| Pair { score: 1.0, a, b }));
    }
    let sorted = Sorted::new(pairs);
    let one_set = Vec::from([Range { start: 0, end: 10 }]);
    let found = Bootstrap::new(one_set, 1000).figures(&sorted).unwrap();
    assert_eq!(sorted.figures().unwrap().fnmr[1], 0.1);
    assert_eq!(found[2].0, 0.0);
    assert!((0.2..=0.4).contains(&found[2].1), "{found:?}");
}
