// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors where `SEGNET_STRICT` is set.
let strict: [CSetting] = Context.environment["SEGNET_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// Training over MPI. This is a separate package, so that nothing else needs MPI. It contains only C and builds in seconds with the MPI of
/// this machine. `segnet-mpi` starts `segnet`, which loads the library next to it (docs/decisions/0015-ranks.md).
///
/// `SEGNET_MPI` names MPI's pkg-config file: `ompi-c` for Open MPI, `mpich` for MPICH.
let package = Package(
    name: "segnet-mpi",
    products: [
        .executable(name: "segnet-mpi", targets: ["segnet-mpi"]),
        .library(name: "SegNetRanks", type: .dynamic, targets: ["CSegNetRanks"]),
    ],
    targets: [
        .systemLibrary(
            name: "CMPI",
            pkgConfig: Context.environment["SEGNET_MPI"] ?? "ompi-c",
            providers: [.apt(["libopenmpi-dev"]), .brew(["open-mpi"])]
        ),
        .target(
            name: "CSegNetRanks",
            dependencies: ["CMPI"],
            cSettings: [.unsafeFlags(["-O2"])] + strict
        ),
        .executableTarget(name: "segnet-mpi", cSettings: strict),
    ]
)
