"""The live demonstration: exchange, gateway and fleet as processes on loopback, watched for a minute.

One idea per file: `setting` (the files they read), `stage` (the processes), `state` (what is known), `view` (the
terminal), `card` (the report), `show` (the minute itself).
"""
