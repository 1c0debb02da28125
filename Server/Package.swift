// swift-tools-version: 6.2
import PackageDescription

/// Settings of all our targets, as in the main package: imports and existentials are spelled out, warnings are errors where
/// `SEGNET_STRICT` is set.
let ours: [SwiftSetting] =
    (Context.environment["SEGNET_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]) + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]

/// As in the main package: what `make install` sets, so that the server runs where there is no Swift.
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

/// The web demo and the HTTP service: a separate package, so that the library and the command do not pull in the
/// server's packages.
let package = Package(
    name: "segnet-server",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SegNetServer", targets: ["SegNetServer"]),
        .executable(name: "segnet-server", targets: ["SegNetServerCommand"]),
    ],
    dependencies: [
        .package(name: "segnet-swift", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Without its default traits: no configuration files of its own.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ],
    targets: [
        .target(
            name: "SegNetServer",
            dependencies: [
                .product(name: "SegNetToolkit", package: "segnet-swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            resources: [.copy("Page"), .copy("openapi.json")],
            swiftSettings: ours
        ),
        // Its target is not called `segnet-server`: that is the file's name, and module names have no hyphen.
        .executableTarget(
            name: "SegNetServerCommand",
            dependencies: [
                "SegNetServer",
                .product(name: "SegNetToolkit", package: "segnet-swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: ours,
            linkerSettings: standalone
        ),
        .testTarget(
            name: "SegNetServerTests",
            dependencies: [
                "SegNetServer", "SegNetServerCommand",
                .product(name: "SegNetToolkit", package: "segnet-swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: ["Goldens"],
            swiftSettings: ours
        ),
    ],
    swiftLanguageModes: [.v6]
)
