//! Why nothing could be computed.

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// There was not enough memory for it.
    #[error("{0}")]
    OutOfMemory(String),
    /// There was no disk for it.
    #[error("{0}")]
    Infrastructure(String),
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// With another text, made from this one's.
    #[must_use]
    pub fn told(self, tell: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::OutOfMemory(why) => Self::OutOfMemory(tell(why)),
            Self::Infrastructure(why) => Self::Infrastructure(tell(why)),
            Self::Other(why) => Self::Other(tell(why)),
        }
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

impl From<&str> for Failure {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// What CUDA's driver and its libraries call it, by whose names Candle's errors tell them. A CPU's memory is not among
/// them: who asks for more than there is of that is killed, or aborts.
const WANT_OF_MEMORY: [&str; 3] =
    ["CUDA_ERROR_OUT_OF_MEMORY", "CUBLAS_STATUS_ALLOC_FAILED", "CURAND_STATUS_ALLOCATION_FAILED"];

impl From<candle_core::Error> for Failure {
    fn from(error: candle_core::Error) -> Self {
        // Where the error was made is nothing for people.
        if let candle_core::Error::WithBacktrace { inner, .. } = error {
            return Self::from(*inner);
        }
        let why = error.to_string();
        if WANT_OF_MEMORY.iter().any(|name| why.contains(name)) {
            Self::OutOfMemory(why)
        } else {
            Self::Other(why)
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Error;

    use super::*;

    #[test]
    fn want_of_memory_is_told_from_all_else() {
        let check = |said: &str, expected: fn(String) -> Failure| {
            let error = || Error::Cuda(said.into());
            assert_eq!(Failure::from(error()), expected(said.to_owned()));
            // As it comes where backtraces are wanted.
            let backtrace = Box::new(std::backtrace::Backtrace::force_capture());
            let traced = Error::WithBacktrace { inner: Box::new(error()), backtrace };
            assert_eq!(Failure::from(traced), expected(said.to_owned()));
        };
        check(r#"DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")"#, Failure::OutOfMemory);
        check(
            r#"DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory") when loading unary"#,
            Failure::OutOfMemory,
        );
        check("CublasError(CUBLAS_STATUS_ALLOC_FAILED)", Failure::OutOfMemory);
        check("CurandError(CURAND_STATUS_ALLOCATION_FAILED)", Failure::OutOfMemory);
        check(
            r#"DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered")"#,
            Failure::Other,
        );
        check("CublasError(CUBLAS_STATUS_NOT_INITIALIZED)", Failure::Other);
    }
}
