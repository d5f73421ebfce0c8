//! The worker program among the subjects, as a program of its own.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(pleach_torture::subject::walker::run()?)
}
