//! popsync
