//! How long work will take, learnt from the work that was done.

use std::time::Duration;

/// Learns how long a unit of password work takes here, the pauses between slices included.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    nanos_per_unit: f64,
}

impl Default for Forecast {
    /// A guess that is right within a factor of two on most machines, until there is something to learn from.
    fn default() -> Self {
        Self { nanos_per_unit: 1000.0 }
    }
}

/// How much a new check counts against all before it.
const WEIGHT: f64 = 0.2;

impl Forecast {
    /// Learns from a check of `units` that took `elapsed` from its first slice to its last.
    pub(crate) fn learn(&mut self, units: u64, elapsed: Duration) {
        if units > 0 {
            let measured = elapsed.as_nanos() as f64 / units as f64;
            self.nanos_per_unit += WEIGHT * (measured - self.nanos_per_unit);
        }
    }

    /// How long `units` will take.
    pub(crate) fn duration(&self, units: u64) -> Duration {
        Duration::from_nanos((self.nanos_per_unit * units as f64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_to_what_it_sees() {
        let mut forecast = Forecast::default();
        for _ in 0..50 {
            forecast.learn(1000, Duration::from_millis(3));
        }
        let millis = forecast.duration(10_000).as_millis();
        assert!((29..=31).contains(&millis), "{millis}");
    }

    #[test]
    fn nothing_is_learnt_from_no_work() {
        let mut forecast = Forecast::default();
        forecast.learn(0, Duration::from_secs(1));
        assert_eq!(forecast.duration(1000), Duration::from_millis(1));
    }
}
