"""Which pins of the codec a board's copper leads to its headphone socket, and to where its
line-out is taken: facts of the board, which no option of a driver can change.

aithinker_audiokit: schematic of the ESP32-A1S module v2.3 (2021-05-08; nets LOUT1 SPOLN and ROUT1
SPORN lead to the loudspeakers' amplifiers) and what people found on their kits (pschatzmann/
arduino-audio-tools issues 213, 354, 368). A board that is not named is wired as its codec's model
says.
"""

SOCKETS = {
    "aithinker_audiokit": {"headset": ("LOUT2", "ROUT2"), "line_out": ("LOUT1",)},
}
