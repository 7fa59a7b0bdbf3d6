"""placeholder"""


def test_x(stranger, write_verification):
    done = stranger.run("verify", write_verification(), "-o", "out")
    print(done)
    assert done.code == 0
    stranger.assert_nothing_left()
