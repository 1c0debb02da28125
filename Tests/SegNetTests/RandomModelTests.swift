import SegNetData
import SegNetImages
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("A network of random weights")
struct RandomModelTests {
    @Test("the demo's network answers every class somewhere")
    func everyClassWins() throws {
        let scene = try StreetScene(width: 120, height: 90)
        let model = try RandomModel.segNetBasic(classTable: .camVid11, seed: 1, lookingAt: scene.image)
        let result = try Segmenter(LoadedModel(model, name: "random")).segment(scene.image)
        #expect(result.shares.count == 11)
        #expect(result.shares.allSatisfy { $0.share < 0.5 })
        #expect(result.classTable.classes == ClassTable.camVid11.classes)
    }
}
