// swift-tools-version: 6.2
import PackageDescription

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
            cSettings: [.unsafeFlags(["-O2"])]
        ),
        .executableTarget(name: "segnet-mpi"),
    ]
)
