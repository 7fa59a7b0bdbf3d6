"""The bytes of messages: XCDR1 codecs compiled from definitions,
one message at a time or as columns.
"""
