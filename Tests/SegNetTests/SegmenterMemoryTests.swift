import SegNetToolkit
import Testing

@testable import SegNet

@Suite("The memory of a segmenter's runs")
struct SegmenterMemoryTests {
    private func segmenter() throws -> Segmenter {
        let network = Architectures.segNetBasic(
            classes: 4,
            options: ArchitectureOptions(input: .bgr255(height: 48, width: 64), width: 0.25)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        return try Segmenter(
            LoadedModel(model, name: "small"),
            options: Segmenter.Options(threads: 1, maximumConcurrency: 1)
        )
    }

    @Test("the memory of a run is known before it, and grows with its size")
    func known() throws {
        let segmenter = try segmenter()
        let small = try segmenter.runBytes(width: 64, height: 48)
        let large = try segmenter.runBytes(width: 256, height: 192)
        #expect(small > 64 * 48 * 4)
        // How much, the processor's caches decide: the height of the bands follows from them.
        #expect(large > 2 * small, "16 times the pixels, in bands")
        #expect(segmenter.idleMemory == 0, "nothing was taken for the question")
        try segmenter.prepare(width: 64, height: 48)
        #expect(segmenter.idleMemory == small)
    }

    @Test("idle memory beyond a bound is released, and the next run takes it again")
    func released() throws {
        let segmenter = try segmenter()
        let picture = try Image(
            width: 256,
            height: 192,
            channels: 3,
            pixels: [UInt8](repeating: 90, count: 256 * 192 * 3)
        )
        let before = try segmenter.segment(picture, Segmenter.Request(size: .picture)).classes
        let small = try segmenter.runBytes(width: 64, height: 48)
        #expect(segmenter.idleMemory == (try segmenter.runBytes(width: 256, height: 192)))
        segmenter.releaseIdleMemory(beyond: try segmenter.runBytes(width: 256, height: 192))
        #expect(segmenter.idleMemory > small, "no more than the bound: kept")
        segmenter.releaseIdleMemory(beyond: small)
        #expect(segmenter.idleMemory == 0)
        #expect(try segmenter.segment(picture, Segmenter.Request(size: .picture)).classes == before)
    }

    @Test("a small run does not wait for a large one, but does for another small one")
    func small() throws {
        let pool = try segmenter().workspaces
        var order: [String] = []
        try pool.withWorkspace(of: PictureSize(width: 256, height: 192)) { _ in
            // With only one workspace this would wait for ever.
            try pool.withWorkspace(of: PictureSize(width: 64, height: 48)) { _ in order.append("small") }
            order.append("large")
        }
        #expect(order == ["small", "large"])
        #expect(pool.idleCount == 1, "no more are kept than there may be")
    }
}
