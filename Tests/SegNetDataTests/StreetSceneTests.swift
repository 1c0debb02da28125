import SegNetImages
import Testing

@testable import SegNetData

@Suite("The rendered street")
struct StreetSceneTests {
    @Test("the same seed gives the same street, another seed another")
    func deterministic() throws {
        let first = try StreetScene(seed: 3, width: 160, height: 120)
        let second = try StreetScene(seed: 3, width: 160, height: 120)
        let other = try StreetScene(seed: 4, width: 160, height: 120)
        #expect(first.image == second.image && first.labels == second.labels)
        #expect(first.image != other.image)
    }

    @Test("holds what a street holds, in places where it belongs", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func content(seed: UInt64) throws {
        let scene = try StreetScene(seed: seed, width: 240, height: 180)
        let counts = scene.labels.pixelCounts(classCount: 11)
        let pixels = Double(240 * 180)
        #expect(counts.count == 11)
        // Sky, building, road, pavement, tree and car are in every street.
        for (id, least) in [(0, 0.02), (1, 0.05), (3, 0.15), (4, 0.01), (5, 0.01), (8, 0.005)] {
            #expect(Double(counts[id]) / pixels > least, "\(ClassTable.camVid11.name(of: id))")
        }
        // The lower middle is road or what drives on it, the upper half never is.
        #expect([3, 8, 10].contains(scene.labels[x: 120, y: 178]))
        #expect(!(0..<240).contains { scene.labels[x: $0, y: 30] == 3 })
    }

    @Test("any size from 1x1 on can be drawn", arguments: [(1, 1), (1, 40), (33, 2)])
    func smallSizes(width: Int, height: Int) throws {
        let scene = try StreetScene(width: width, height: height)
        #expect(scene.image.width == width && scene.labels.height == height)
    }
}
