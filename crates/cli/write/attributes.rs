//! What belongs to a file beside its content: owner, mode, extended attributes.

use std::fs::{File, Metadata};
use std::io;

use super::cannot;

/// Gives `new` what `old`, of which `metadata` is, has. The error says what cannot be kept.
pub(super) fn copy(old: &File, metadata: &Metadata, new: &File) -> Result<(), String> {
    // The mode comes last: a change of owner clears the set-user-id bits, and a list of who may do
    // what brings a mode of its own.
    copy_owner(metadata, new)
        .map_err(|error| cannot("be replaced by a file of the same owner", &error))?;
    extended::copy(old, new).map_err(|error| {
        cannot(
            "be replaced by a file with the same extended attributes",
            &error,
        )
    })?;
    new.set_permissions(metadata.permissions())
        .map_err(|error| cannot("be replaced by a file of the same mode", &error))
}

/// Only root may give a file away; who may write another's file may replace it as well.
#[cfg(unix)]
fn copy_owner(of: &Metadata, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = new.metadata()?;
    if own.uid() != of.uid() {
        let _ = fchown(new, Some(of.uid()), None);
    }
    if own.gid() != of.gid() {
        let _ = fchown(new, None, Some(of.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there are owners")]
fn copy_owner(_of: &Metadata, _new: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod extended {
    use std::fs::File;
    use std::io;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
    use rustix::io::{Errno, Result};

    /// Labels that a security module makes anew for what is new, and hashes of the content.
    const OF_THE_SYSTEM: &[u8] = b"security.";

    pub(super) fn copy(old: &File, new: &File) -> io::Result<()> {
        let names = match read(|buffer| flistxattr(old, buffer)) {
            Ok(names) => names,
            Err(Errno::NOTSUP) => return Ok(()), // this file system has none
            Err(error) => return Err(error.into()),
        };
        for name in names.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
            let value = read(|buffer| fgetxattr(old, name, buffer));
            let copied = value.and_then(|value| fsetxattr(new, name, &value, XattrFlags::empty()));
            match copied {
                Ok(()) => {}
                // What went meanwhile, or is not ours to give.
                Err(Errno::NODATA) => {}
                Err(_) if name.starts_with(OF_THE_SYSTEM) || name.starts_with(b"trusted.") => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What the system writes into a buffer that is long enough.
    fn read(get: impl Fn(&mut [u8]) -> Result<usize>) -> Result<Vec<u8>> {
        let mut buffer = vec![0; 1 << 10];
        loop {
            match get(&mut buffer) {
                Ok(length) => {
                    buffer.truncate(length);
                    return Ok(buffer);
                }
                Err(Errno::RANGE) => buffer.resize(2 * buffer.len(), 0),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod extended {
    use std::fs::File;
    use std::io;

    #[expect(clippy::unnecessary_wraps, reason = "as where there are some")]
    pub(super) fn copy(_old: &File, _new: &File) -> io::Result<()> {
        Ok(())
    }
}
