# Recipes; `just` alone lists them.
_default:
    @just --list --unsorted

# A branch in this terminal: kiosk, confirm station and desk.
demo:
    cargo run --release

# The whole suite.
test:
    cargo test --workspace

# Play scripts in process under virtual time.
play +FILES:
    cargo run -q -- play {{FILES}}

# Rewrite the expected screens of scripts (never effects on money or custody).
bless +FILES:
    cargo run -q -- play --bless {{FILES}}

# Kill real processes at random points of sales and audit books and paper.
crash ROUNDS="200":
    cargo run -q --release -- crash --rounds {{ROUNDS}}

# Kill the backend under the load of many kiosks, and let them judge what is left.
kill KILLS="500":
    cargo run -q --release -- kill --kills {{KILLS}}

# Fill a small disk under the backend: no new sales, outcomes from the reserve, and back.
disk-full:
    cargo build -q --release
    tests/disk-full ./target/release/counterfoil

# Cut the power under the whole sale service: so many images (the suite: 3,000).
power-cut IMAGES="100000":
    COUNTERFOIL_IMAGES={{IMAGES}} cargo test --release -p counterfoil-backend --lib power_cut -- --nocapture --test-threads=1

# One image again, as a failure prints it: CUT:SEED.
power-cut-image IMAGE:
    COUNTERFOIL_IMAGE={{IMAGE}} cargo test --release -p counterfoil-backend --lib power_cut::wherever -- --nocapture

# The full runs of everything that CI runs in slices (hours); or only those named.
soak *NAMES:
    tests/soak/run {{NAMES}}

# Random commands to the model and to redb, singly, grouped and restarted (the suite: 200 traces).
traces COUNT="20000":
    COUNTERFOIL_TRACES={{COUNT}} cargo test --release -p counterfoil-backend --lib traces::alike -- --nocapture

# Make the golden books of this schema version; one that is there is never overwritten.
golden-db:
    COUNTERFOIL_GOLDEN_DB={{justfile_directory()}}/backend/tests/golden cargo test -p counterfoil-backend --lib the_recipe_makes_golden_books

# Break what decides about money and paper, one place at a time (hours; needs cargo-mutants).
mutants *ARGS:
    tests/mutants/run {{ARGS}}

# A thousand wrong PINs a second against a real backend while others sell.
flood SECONDS="60":
    cargo run -q --release -- attack-flood {{SECONDS}}

# Slow, silent, large and endless clients against a real backend while others sell (needs 12,000 file descriptors).
slow *ARGS:
    ulimit -n 12000 && cargo run -q --release -- attack-slow {{ARGS}}

# One crash round again, by its seed.
crash-seed SEED:
    cargo run -q --release -- crash --seed {{SEED}} --rounds 1 --verbose

# Every play 100 times; any difference fails.
steady TIMES="100":
    cargo run -q --release -- play --times {{TIMES}} tests/sessions/*.play

# Start-up time and peak memory of the kiosk alone against the twin server.
kiosk-cost:
    cargo build -q --release -p counterfoil-tui -p counterfoil-devices -p counterfoil-testbed --bins
    cargo run -q --release -- kiosk-cost

# Error rates, times and calibration on a folder of prints or on invented fingers (--help).
fingerprints *ARGS:
    cargo run -q --release -p counterfoil-finger --example fingerprints -- {{ARGS}}

# Draw every screen and every paper of the main job; the README's pictures are among them.
pictures FOLDER="out/pictures":
    cargo run -q -- pictures {{FOLDER}}
    cp {{FOLDER}}/sale-en/*-customer-PickOrder.png docs/pictures/kiosk-order.png
    cp $(ls {{FOLDER}}/sale-en/*-officer-Case.png | sed -n 2p) docs/pictures/officer-case.png
    cp {{FOLDER}}/sale-zh/form-3130002100010001.png docs/pictures/form.png

# What drivers and finger engine cost, beside a peer in the same run, against the budgets.
bench *ARGS:
    cargo run -q --release --locked --manifest-path tests/bench/Cargo.toml --target-dir target/bench -- {{ARGS}}

# Every driver, every fault, every byte: one case in so many, 1 runs all (an hour).
faults ONE_IN="1":
    COUNTERFOIL_FAULTS={{ONE_IN}} cargo test --release -p counterfoil-devices --lib faults -- --nocapture

# The drivers against QEMU's devices, the kernel's printer and the twins, on a real Linux USB stack.
lab:
    devices/lab/run

# The interface held to its own OpenAPI document: signed, random and stateful requests.
api SECONDS="60":
    tests/api/run {{SECONDS}}

# Fuzz one target for so many seconds (tests/fuzz/README.md lists them).
fuzz TARGET SECONDS="60":
    tests/fuzz/run {{TARGET}} {{SECONDS}}

# Fuzz every target, as many at a time as there are cores.
fuzz-all SECONDS="60":
    tests/fuzz/run all {{SECONDS}}

# Format and lint as CI does.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# API documentation of the workspace.
doc:
    cargo doc --workspace --no-deps

# Everything CI runs.
ci:
    .ci/run
