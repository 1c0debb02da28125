import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

/// A small network like SegNet, with random weights.
private func smallSegNet(classes: Int = 5) throws -> Model {
    let network = Architectures.segNet(
        classes: classes,
        options: ArchitectureOptions(input: .bgr255(height: 64, width: 64), width: 0.0625)
    )
    return Model(network: network, weights: try Weights.initial(for: network, seed: 11))
}

@Suite("Tiles")
struct TileTests {
    private func segmenter(_ model: Model, _ accuracy: Segmenter.Accuracy = .fast, classesOnly: Bool = false) throws
        -> Segmenter
    {
        try Segmenter(
            LoadedModel(model, name: "m"),
            options: Segmenter.Options(accuracy: accuracy, threads: 2, classesOnly: classesOnly)
        )
    }

    @Test("the network's reach is known")
    func reach() throws {
        let basic = try #require(try segmenter(smallModel(), .exact).reach)
        #expect(basic.totalStride == 16)
        #expect(basic.grain == 16)
        // Eight windows of 7x7 at strides 1, 2, 4, 8 and back, and four poolings: 1 + 2 * 6 * 15 + 15, on the way down and up.
        #expect(basic.receptiveField >= 181)
        let fast = try #require(try segmenter(smallModel(), .fast).reach)
        #expect(fast.receptiveField == basic.receptiveField)
        // F(4,7) at strides up to 8.
        #expect(fast.grain == 32)
        #expect(fast.exactOverlap > basic.exactOverlap)
        let deep = try #require(try segmenter(smallSegNet(), .fast).reach)
        // F(6,3) at strides up to 16, and five poolings.
        #expect((deep.totalStride, deep.grain) == (32, 96))
        #expect(try segmenter(mirror(channels: ["red", "green"]), .exact).reach?.exactOverlap == 0)
    }

    @Test(
        "with enough overlap the result is that of the whole picture, bit for bit",
        arguments: [.fast, .accurate, .exact] as [Segmenter.Accuracy],
        [(511, 64), (512, 70), (513, 33), (640, 31), (97, 545), (575, 577)]
    )
    func equalsWhole(accuracy: Segmenter.Accuracy, size: (Int, Int)) throws {
        let segmenter = try segmenter(smallModel(), accuracy)
        let picture = try noise(width: size.0, height: size.1, seed: 3)
        let whole = try segmenter.segment(picture, .init(size: .picture, keeps: [.confidence]))
        let reach = try #require(segmenter.reach)
        let tile = reach.exactOverlap + reach.grain
        let tiled = try segmenter.segment(
            picture,
            .init(tiles: .init(width: tile, height: tile, overlap: reach.exactOverlap), keeps: [.confidence])
        )
        #expect(tiled.tileCount > 1)
        #expect(tiled.classes == whole.classes)
        #expect(tiled.confidence == whole.confidence)
        // Without several classes this would show nothing.
        #expect(whole.shares.count > 2)
    }

    @Test("the same for a network with five poolings", arguments: [(1247, 40), (1344, 33), (1345, 31)])
    func deepEqualsWhole(size: (Int, Int)) throws {
        let segmenter = try segmenter(smallSegNet())
        let picture = try noise(width: size.0, height: size.1, seed: 5)
        let reach = try #require(segmenter.reach)
        let whole = try segmenter.segment(picture, .init(size: .picture, keeps: [.confidence]))
        let tiled = try segmenter.segment(
            picture,
            .init(
                tiles: .init(width: reach.exactOverlap + 96, height: 2000, overlap: reach.exactOverlap),
                keeps: [.confidence]
            )
        )
        #expect(tiled.tileCount > 1 || size.0 <= reach.exactOverlap + 96)
        #expect(tiled.classes == whole.classes)
        #expect(tiled.confidence == whole.confidence)
    }

    @Test("tiles that see every window differ only by rounding")
    func roundedWhole() throws {
        let segmenter = try segmenter(smallSegNet())
        let reach = try #require(segmenter.reach)
        #expect(reach.windowOverlap < reach.exactOverlap / 4)
        let tiling = Segmenter.Tiling(
            width: 2 * reach.windowOverlap,
            height: 64,
            overlap: reach.windowOverlap
        )
        let picture = try noise(width: 3 * reach.windowOverlap + 5, height: 40, seed: 8)
        let plan = try segmenter.tilePlan(tiling, width: picture.width, height: 40)
        #expect((plan.agreement, plan.columns.ramp) == (.rounding, 0))
        // The same by default.
        #expect(
            try segmenter.tilePlan(.init(width: 1024, height: 1024), width: 5000, height: 5000).overlap
                == reach.windowOverlap
        )
        let whole = try segmenter.segment(picture, .init(size: .picture))
        let tiled = try segmenter.segment(picture, .init(tiles: tiling))
        #expect(tiled.tileCount > 1)
        // If two values of a pooling window are equal except for rounding, a different one may win.
        let differing = zip(tiled.classes.ids, whole.classes.ids).count { $0 != $1 }
        #expect(differing * 200 < whole.classes.ids.count)
    }

    @Test("with less, probabilities are blended, and nothing changes away from the borders")
    func blended() throws {
        let segmenter = try segmenter(smallModel(), .exact)
        let picture = try noise(width: 700, height: 460, seed: 9)
        let whole = try segmenter.segment(picture, .init(size: .picture))
        let tiling = Segmenter.Tiling(width: 448, height: 320, overlap: 64)
        let plan = try segmenter.tilePlan(tiling, width: 700, height: 460)
        #expect((plan.agreement, plan.columns.ramp, plan.overlap) == (.blended, 64, 64))
        let tiled = try segmenter.segment(picture, .init(tiles: tiling, keeps: [.confidence]))
        let reach = try #require(segmenter.reach)
        let confidence = try #require(tiled.confidence?.values)
        // Far from every border that a tile has inside the picture.
        func isFar(_ position: Int, _ axis: TilePlan.Axis) -> Bool {
            axis.tiles.indices.allSatisfy { index in
                let tile = axis.tiles[index], part = axis.part(index)
                guard part.contains(position) else { return true }
                return (index == 0 || position - tile.lowerBound >= reach.windowMargin + 16)
                    && (index == axis.cuts.count || tile.upperBound - position > reach.windowMargin + 16)
            }
        }
        var far = 0
        for y in 0..<460 where isFar(y, plan.rows) {
            for x in 0..<700 where isFar(x, plan.columns) {
                far += 1
                #expect(tiled.classes[x: x, y: y] == whole.classes[x: x, y: y])
            }
        }
        #expect(far > 10_000)
        #expect(tiled.classes != whole.classes)
        // In the ramp between two tiles: from all of the one to all of the other.
        let (left, right) = (plan.columns.tiles[0], plan.columns.tiles[1])
        let ramp = plan.columns.cuts[0] - 32..<plan.columns.cuts[0] + 32
        func probabilities(_ columns: Range<Int>) throws -> FloatMap {
            let part = try MultichannelImage(picture).cropped(columns: columns, rows: plan.rows.tiles[0])
            return try #require(
                try segmenter.segment(part, .init(size: .picture, keeps: [.probabilities])).probabilities
            )
        }
        let (first, second) = (try probabilities(left), try probabilities(right))
        for x in ramp {
            let weight = (Float(x - ramp.lowerBound) + 0.5) / 64
            let mixed: [Float] = (0..<11).map { id in
                let a = first.values[(id * first.shape[1] + 20) * first.shape[2] + x - left.lowerBound]
                let b = second.values[(id * second.shape[1] + 20) * second.shape[2] + x - right.lowerBound]
                return a * (1 - weight) + b * weight
            }
            let greatest = mixed.max() ?? 0
            #expect(abs(confidence[20 * 700 + x] - greatest) < 1e-5)
            #expect(mixed[Int(tiled.classes[x: x, y: 20])] > greatest - 1e-5)
        }
    }

    @Test(
        "tiles cover the picture without gaps, and begin where poolings begin",
        arguments: [1, 31, 32, 33, 480, 481, 1000, 1023, 1024, 1025, 5000]
    )
    func covers(size: Int) throws {
        for (tile, overlap, grain) in [(480, 64, 32), (480, 384, 96), (64, 0, 32), (96, 64, 32)] {
            let axis = TilePlan.Axis(size: size, tile: tile, overlap: overlap, grain: grain, ramp: min(overlap, 64))
            #expect(axis.tiles.first?.lowerBound == 0 && axis.tiles.last?.upperBound == size)
            #expect(axis.tiles.allSatisfy { $0.lowerBound % grain == 0 && $0.count <= tile && !$0.isEmpty })
            #expect(axis.cuts.count == axis.tiles.count - 1)
            for (index, cut) in axis.cuts.enumerated() {
                // Half an overlap on both sides.
                #expect(cut - axis.tiles[index + 1].lowerBound >= overlap / 2)
                #expect(axis.tiles[index].upperBound - cut >= overlap / 2)
                #expect(axis.end(index) <= axis.end(index + 1))
            }
            #expect(axis.end(axis.cuts.count) == size)
        }
    }

    @Test("the ramps of neighbouring cuts do not meet, even where the last tile begins just after the one before it")
    func rampsApart() throws {
        let segmenter = try segmenter(smallSegNet())
        for (tile, overlap) in [(1024, 256), (480, 64), (480, 384), (96, 64), (128, 64)] {
            for size in [97, 160, 1000, 1792, 1793, 1800, 1825, 2600, 5000] {
                let tiling = Segmenter.Tiling(width: tile, height: 512, overlap: overlap)
                let plan = try segmenter.tilePlan(tiling, width: size, height: 700)
                guard plan.agreement == .blended else { continue }
                let (ramp, cuts) = (plan.columns.ramp, plan.columns.cuts)
                #expect(ramp == plan.rows.ramp && ramp > 0 && ramp % 2 == 0 && ramp <= 64)
                #expect(zip(cuts, cuts.dropFirst()).allSatisfy { $1 - $0 >= ramp }, "\(tile) \(overlap) \(size)")
            }
        }
        // 0, 768 and 800: the second and the third tile begin one stride of the network apart.
        let plan = try segmenter.tilePlan(.init(width: 1024, height: 1024, overlap: 256), width: 1800, height: 700)
        #expect(plan.columns.tiles.map(\.lowerBound) == [0, 768, 800] && plan.columns.ramp == 32)
    }

    @Test("a resumed run gives the same as an uninterrupted one", arguments: [nil, 64] as [Int?])
    func resumes(overlap: Int?) throws {
        let segmenter = try segmenter(smallModel(), .exact)
        let picture = PictureInMemory(picture: MultichannelImage(try noise(width: 200, height: 700, seed: 2)))
        let tiling = Segmenter.Tiling(width: 256, height: 256, overlap: overlap ?? 208)
        let plan = try segmenter.tilePlan(tiling, width: 200, height: 700)
        #expect(plan.rows.tiles.count > 2)
        var whole: [UInt16] = []
        var run = TiledRun(segmenter, plan, Segmenter.Request())
        try run.all(of: picture) { whole += $0.classIDs }
        for first in 1..<plan.rows.tiles.count {
            var rest = Array(whole[..<(TiledRun.finishedRows(plan, after: first) * 200)])
            var second = TiledRun(segmenter, plan, Segmenter.Request())
            try second.all(of: picture, from: first) { rest += $0.classIDs }
            #expect(rest == whole)
        }
    }

    @Test("requests that tiles cannot serve are refused with a reason")
    func refusals() throws {
        let segmenter = try segmenter(smallModel())
        let picture = try noise(width: 30, height: 20)
        func said(_ request: Segmenter.Request) -> String {
            do {
                _ = try segmenter.segment(picture, request)
                return "nothing"
            } catch { return "\(error)" }
        }
        #expect(
            said(.init(size: .fixed(width: 32, height: 32), tiles: .init()))
                == "network 'segnet-basic': tiles run at the picture's own size, but 32x32 was asked for; leave out the tiles or the "
                + "picture size."
        )
        #expect(
            said(.init(tiles: .init(), keeps: [.probabilities]))
                == "network 'segnet-basic': tiles give only classes and confidence, from one run each; leave out the tiles, or samples, views, "
                + "refinement, probabilities, scores and blobs."
        )
        #expect(said(.init(tiles: .init(width: 0))).contains("tiles of 0x1024 are not possible"))
        let reach = try #require(segmenter.reach)
        #expect(
            said(.init(tiles: .init(width: 1, height: 1)))
                == "network 'segnet-basic': tiles of 1x1 are smaller than one pixel of its coarsest map, which covers 16x16 pixels of a "
                + "picture. Give a size of tiles of at least 48x48; from \(2 * reach.windowOverlap)x\(2 * reach.windowOverlap) up, a tile "
                + "sees all that the whole picture would show it."
        )
        #expect(said(.init(tiles: .init(width: 48, height: 48))) == "nothing")
        #expect(said(.init(tiles: .init(width: 16, height: 16, overlap: 0))) == "nothing")
        // Pictures that fit in one tile have no overlap.
        #expect(said(.init(tiles: .init(width: 32, height: 32, overlap: 900))) == "nothing")
        let larger = try noise(width: 100, height: 20)
        #expect(throws: SegmenterError.self) {
            try segmenter.segment(larger, .init(tiles: .init(width: 32, height: 32, overlap: 900)))
        }
    }

    @Test("the greatest sides and overlaps that there are mean no limit")
    func unlimited() throws {
        let segmenter = try segmenter(smallModel(), .exact)
        let picture = try noise(width: 100, height: 60)
        let whole = try segmenter.segment(picture, .init(size: .picture)).classes
        for tiling in [
            Segmenter.Tiling(width: .max, height: .max), .init(width: .max, height: .max, overlap: .max),
            .init(width: .max, height: 64), .init(width: 128, height: 64, overlap: .max),
        ] {
            let tiled = try segmenter.segment(picture, .init(tiles: tiling))
            #expect(tiled.tileCount == 1 && tiled.classes == whole)
        }
        #expect(try segmenter.segment(picture, .init(tiles: .init(width: .max, height: 48))).tileCount > 1)
        #expect(throws: SegmenterError.self) {
            try segmenter.segment(picture, .init(tiles: .init(width: 64, height: .max, overlap: .max)))
        }
    }

    @Test("a single tile is the whole picture")
    func single() throws {
        let segmenter = try segmenter(smallModel())
        let picture = try noise(width: 100, height: 60)
        let tiled = try segmenter.segment(picture, .init(tiles: .init()))
        #expect(tiled.tileCount == 1)
        #expect(try tiled.classes == segmenter.segment(picture, .init(size: .picture)).classes)
    }
}
