// swift-tools-version: 6.2
import PackageDescription

/// Set in continuous integration: warnings are errors there, and not where a newer compiler may know more of them.
let isStrict = Context.environment["SEGNET_STRICT"] != nil

/// Settings of every Swift target of ours: imports and existentials are spelled out.
let ours: [SwiftSetting] =
    (isStrict ? [.treatAllWarnings(as: .error)] : []) + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]

/// Settings of C targets. SwiftPM compiles C with -O0 in debug builds; -O3 lets debug tests run real networks.
let fastC: [CSetting] = [.unsafeFlags(["-O3"])] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// Set by `make install`: programs then carry Swift's runtime and Foundation with them and run where there is no Swift. Only their link
/// differs, so that nothing is compiled a second time; Foundation's own libraries are named because modules that were compiled for the
/// shared one do not name them. (On macOS both are part of the system.)
let standalone: [LinkerSetting] =
    Context.environment["SEGNET_STANDALONE"] == nil
    ? []
    : [
        .unsafeFlags(
            [
                "-static-stdlib", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims",
                "-l_FoundationCollections", "-Xlinker", "-s",
            ],
            .when(platforms: [.linux])
        )
    ]

let package = Package(
    name: "segnet-swift",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SegNet", targets: ["SegNet"]),
        // The trained models as resources, for programs that come without other files: `Segmenter.bundled()`.
        .library(name: "SegNetModels", targets: ["SegNetModels"]),
        // The same with all that it is built of, for tools on top of the library: docs/decisions/0011.
        .library(name: "SegNetToolkit", targets: ["SegNetToolkit"]),
        .executable(name: "segnet", targets: ["SegNetCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // A target imports only what is on the floors below its own; those of one floor do not know each other.
        //
        // Floor 0: the arithmetic, in C; how SwiftPM finds two C libraries for pictures.
        .target(name: "CSegNetKernels", cSettings: fastC),
        .systemLibrary(
            name: "CLibPNG",
            pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]
        ),
        .systemLibrary(
            name: "CTurboJPEG",
            pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]
        ),

        // Floor 1: the system and its C library, memory, threads, instruction sets, random numbers; C around the libraries for pictures.
        .target(name: "SegNetPlatform", dependencies: ["CSegNetKernels"], swiftSettings: ours),
        .target(name: "CSegNetCodecs", dependencies: ["CLibPNG", "CTurboJPEG"], cSettings: fastC),

        // Floor 2: what a network is; what a picture is.
        .target(name: "SegNetNetworks", dependencies: ["SegNetPlatform"], swiftSettings: ours),
        .target(name: "SegNetImages", dependencies: ["SegNetPlatform", "CSegNetCodecs"], swiftSettings: ours),

        // Floor 3: networks as graphs; files of networks; polygons; scores; what is done with probabilities.
        .target(name: "SegNetGraph", dependencies: ["SegNetNetworks", "SegNetPlatform"], swiftSettings: ours),
        .target(
            name: "SegNetFormats",
            dependencies: [
                "SegNetNetworks", "SegNetPlatform", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protobuf/caffe.proto", "Protobuf/onnx.proto", "Protobuf/tensorboard.proto"],
            swiftSettings: ours
        ),
        .target(
            name: "SegNetAnnotations",
            dependencies: ["SegNetImages", "SegNetPlatform", .product(name: "Yams", package: "Yams")],
            swiftSettings: ours
        ),
        .target(name: "SegNetEvaluation", dependencies: ["SegNetImages"], swiftSettings: ours),
        .target(
            name: "SegNetRefinement",
            dependencies: ["SegNetImages", "SegNetPlatform", "CSegNetKernels"],
            swiftSettings: ours
        ),

        // Floor 4: the processor that runs and teaches graphs; data sets.
        .target(
            name: "SegNetCPU",
            dependencies: ["SegNetGraph", "SegNetNetworks", "SegNetPlatform", "CSegNetKernels"],
            swiftSettings: ours
        ),
        .target(
            name: "SegNetData",
            dependencies: ["SegNetNetworks", "SegNetImages", "SegNetAnnotations", "SegNetPlatform"],
            swiftSettings: ours
        ),

        // Floor 5: the trainer.
        .target(
            name: "SegNetTraining",
            dependencies: [
                "SegNetPlatform", "SegNetNetworks", "SegNetImages", "SegNetAnnotations", "SegNetCPU", "SegNetFormats",
                "SegNetData", "SegNetEvaluation",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"), .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: ours
        ),

        // Floor 6: what users import.
        .target(
            name: "SegNet",
            dependencies: [
                "SegNetPlatform", "SegNetNetworks", "SegNetImages", "SegNetAnnotations", "SegNetCPU", "SegNetFormats",
                "SegNetData", "SegNetEvaluation", "SegNetRefinement", "SegNetTraining",
            ],
            swiftSettings: ours
        ),

        // Floor 7: the trained models as resources; one import for everything.
        .target(
            name: "SegNetModels",
            dependencies: ["SegNet"],
            path: "Models",
            exclude: ["segnet-camvid.safetensors", "segnet-indoor.safetensors", "street.jpg"],
            resources: [
                .copy("segnet-streets.safetensors"), .copy("segnet-streets-small.safetensors"),
                .copy("segnet-basic-camvid.safetensors"), .copy("bayesian-segnet-camvid.safetensors"),
            ],
            swiftSettings: ours
        ),
        .target(
            name: "SegNetToolkit",
            dependencies: [
                "SegNet", "SegNetPlatform", "SegNetNetworks", "SegNetImages", "SegNetAnnotations", "SegNetGraph",
                "SegNetCPU", "SegNetFormats", "SegNetData", "SegNetEvaluation", "SegNetRefinement", "SegNetTraining",
            ],
            swiftSettings: ours
        ),

        // Floor 8: the command. Its target is not called `segnet`: on file systems that ignore case that is `SegNet`'s folder.
        .executableTarget(
            name: "SegNetCommand",
            dependencies: ["SegNetToolkit", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: ours,
            linkerSettings: standalone
        ),

        // Tools for developers: damaged files for every reader (`make fuzz`). The mutators are a target of their own, so that
        // tests can look at what they make.
        .target(
            name: "SegNetFuzzing",
            dependencies: ["SegNetAnnotations", "SegNetImages", "SegNetPlatform"],
            path: "Tools/SegNetFuzzing",
            swiftSettings: ours
        ),
        .executableTarget(
            name: "FuzzFiles",
            dependencies: [
                "SegNetFuzzing", "SegNetFormats", "SegNetAnnotations", "SegNetImages", "SegNetCPU", "SegNetNetworks",
                "SegNetPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tools/FuzzFiles",
            swiftSettings: ours
        ),

        // Small programs that show the library. Targets of this package, so that `make test` builds them from what it has built
        // already; a package of their own would compile the whole library and its dependencies a second time. Nobody who
        // depends on the package sees them: they are not products.
        .executableTarget(
            name: "TrainOnStreets",
            dependencies: ["SegNet"],
            path: "Examples/TrainOnStreets",
            swiftSettings: ours
        ),
        .executableTarget(
            name: "SegmentPhoto",
            dependencies: ["SegNet"],
            path: "Examples/SegmentPhoto",
            swiftSettings: ours
        ),

        .testTarget(
            name: "SegNetPlatformTests",
            dependencies: ["SegNetPlatform", "CSegNetKernels"],
            swiftSettings: ours
        ),
        // The reference that plans are compared with: every layer by its definition, in float64. And Python, for other programs.
        .target(
            name: "SegNetReference",
            dependencies: ["SegNetNetworks", "SegNetPlatform"],
            path: "Tests/SegNetReference",
            swiftSettings: ours
        ),
        .testTarget(name: "SegNetNetworksTests", dependencies: ["SegNetNetworks"], swiftSettings: ours),
        .testTarget(
            name: "SegNetImagesTests",
            dependencies: ["SegNetImages"],
            exclude: ["Goldens"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetCPUTests",
            dependencies: ["SegNetCPU", "SegNetGraph", "SegNetFormats", "SegNetReference", "CSegNetKernels"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetFormatsTests",
            dependencies: [
                "SegNetFormats", "SegNetReference", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Goldens"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetAnnotationsTests",
            dependencies: ["SegNetAnnotations", "SegNetImages"],
            exclude: ["Files"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetDataTests",
            dependencies: ["SegNetData", "SegNetAnnotations", "SegNetImages"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetEvaluationTests",
            dependencies: ["SegNetEvaluation", "SegNetImages"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetRefinementTests",
            dependencies: ["SegNetRefinement", "SegNetImages", "SegNetFormats", "SegNetPlatform", "CSegNetKernels"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetTrainingTests",
            dependencies: [
                "SegNetTraining", "SegNetCPU", "SegNetGraph", "SegNetFormats", "SegNetData", "SegNetEvaluation",
                "SegNetReference",
                "CSegNetKernels",
            ],
            swiftSettings: ours
        ),
        .testTarget(
            name: "SegNetTests",
            dependencies: ["SegNet", "SegNetToolkit"],
            swiftSettings: ours
        ),
        .testTarget(name: "SegNetModelsTests", dependencies: ["SegNetModels"], swiftSettings: ours),
        // What a user's program sees: it imports Foundation and SegNet alone, with Swift's own settings.
        .testTarget(name: "SegNetImportTests", dependencies: ["SegNet"]),
        .testTarget(
            name: "SegNetCommandTests",
            dependencies: [
                "SegNetCommand", "SegNetToolkit", "SegNetReference",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["Goldens"],
            swiftSettings: ours
        ),
        .testTarget(
            name: "ExamplesTests",
            dependencies: ["TrainOnStreets", "SegmentPhoto"],
            swiftSettings: ours
        ),
        .testTarget(name: "SegNetFuzzingTests", dependencies: ["SegNetFuzzing", "FuzzFiles"], swiftSettings: ours),
    ],
    swiftLanguageModes: [.v6]
)

// Coverage-guided fuzzing (scripts/fuzz-coverage), which sets this to libFuzzer's archive: only a build with its sanitizer can link these.
if let libFuzzer = Context.environment["SEGNET_LIBFUZZER"] {
    package.targets += [
        .systemLibrary(name: "CLibFuzzer", path: "Tools/CLibFuzzer"),
        .target(name: "SegNetMultipart", path: "Server/Sources/SegNetServer/Multipart", swiftSettings: ours),
        .executableTarget(
            name: "FuzzCoverage",
            dependencies: [
                "CLibFuzzer", "SegNetMultipart", "SegNetFuzzing", "SegNetAnnotations", "SegNetFormats", "SegNetImages",
                "SegNetNetworks", "SegNetPlatform", "SegNetTraining",
            ],
            path: "Tools/FuzzCoverage",
            exclude: ["corpus"],
            swiftSettings: ours,
            linkerSettings: [
                .unsafeFlags([
                    "-Xlinker", "--whole-archive", "-Xlinker", libFuzzer, "-Xlinker", "--no-whole-archive", "-lstdc++",
                ])
            ]
        ),
    ]
    // Coverage of C is wanted where files are read; the kernels, which take longest to compile, are not reached.
    for target in package.targets where target.name == "CSegNetCodecs" {
        target.cSettings = fastC + [.unsafeFlags(["-fsanitize=fuzzer-no-link"])]
    }
    for target in package.targets where target.name == "CSegNetKernels" {
        target.cSettings = [.unsafeFlags(["-O0", "-fno-sanitize=address"])]
    }
}
